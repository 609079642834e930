import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../../src/errors.ts';
import { openBucket } from '../harness/bucket.ts';
import { countRows, type RowCount } from '../harness/count-rows.ts';
import { endedBadly, startMeasured, type MeasuredProcess, type Usage } from '../harness/measured-process.ts';
import { machineCpuSeconds } from '../harness/process-tree.ts';
import type { Sample } from '../harness/sample.ts';
import type { Servers } from '../harness/servers.ts';
import { thisMachine } from '../harness/machine.ts';
import type { Installed, Job, Peer } from './peer.ts';

const POLL_MS = 300;
/** A peer that takes longer stands still. */
const LIMIT_MS = 20 * 60_000;
let jobs = 0;

/** What a peer is to do. */
export interface JobOptions {
  readonly servers: Servers;
  readonly topic: string;
  readonly messages: number;
  readonly flushRows: number;
}

/** A job with a bucket, a group and a directory that are new; remove them when done. */
export async function openJob(peer: Peer, options: JobOptions): Promise<Job & { remove(): void }> {
  const id = `bench-${peer.name}-${process.pid}-${jobs++}`;
  const bucket = await openBucket(options.servers, id);
  const directory = mkdtempSync(join(tmpdir(), `${id}-`));
  mkdirSync(directory, { recursive: true });
  return {
    ...options,
    group: id,
    bucket,
    directory,
    remove() {
      bucket.remove();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Starts a peer on a job. */
export function startPeer(peer: Peer, installed: Installed, job: Job): MeasuredProcess {
  return startMeasured(startOptions(peer, installed, job));
}

function startOptions(peer: Peer, installed: Installed, job: Job) {
  const command = peer.command(job, installed);
  return { command, directory: job.directory, log: join(job.directory, 'output.log') };
}

/**
 * Waits until a peer has done the whole job, and ends it where it would go on. Resolves with what it used until then. Throws
 * OperationalError when it fails, or does not get there within twenty minutes.
 */
export async function untilDone(
  peer: Peer,
  installed: Installed,
  job: Job,
  running: MeasuredProcess,
): Promise<Usage> {
  const deadline = Date.now() + LIMIT_MS;
  while (!running.hasEnded()) {
    if (peer.isDone && (await peer.isDone(job, installed))) {
      const usage = running.usage();
      await running.end('SIGTERM');
      return usage;
    }
    if (Date.now() > deadline) {
      await running.end('SIGKILL');
      throw new OperationalError(
        `expected ${peer.name} to be done within ${LIMIT_MS / 60_000} minutes, it is not`,
      );
    }
    await Promise.race([running.ended, sleep(POLL_MS)]);
  }
  const code = await running.ended;
  if (code !== 0) throw endedBadly(startOptions(peer, installed, job), code);
  return running.usage();
}

/** The files that readers of a job's result would read. */
export async function filesOf(peer: Peer, installed: Installed, job: Job): Promise<readonly string[]> {
  return peer.files?.(job, installed) ?? job.bucket.list('.parquet').map(({ path }) => path);
}

/** Counts what a job left. */
export async function countJob(peer: Peer, installed: Installed, job: Job): Promise<RowCount> {
  return countRows(await filesOf(peer, installed, job), job.messages, peer.identity);
}

/** One whole job, measured and counted. Throws OperationalError when messages are missing at its end. */
export async function runJob(peer: Peer, installed: Installed, options: JobOptions): Promise<Sample> {
  const job = await openJob(peer, options);
  let keep = true;
  try {
    await peer.prepare?.(job, installed);
    const { servers, messages } = options;
    const requests = await servers.watchRequests(job.bucket.name);
    const before = { servers: await servers.cpuSeconds(), machine: machineCpuSeconds() };
    const usage = await untilDone(peer, installed, job, startPeer(peer, installed, job));
    const serverCpuSeconds = (await servers.cpuSeconds()) - before.servers;
    const busy = machineCpuSeconds() - before.machine;
    const files = job.bucket.list('.parquet');
    const rows = await countJob(peer, installed, job);
    if (rows.lost > 0) {
      throw new OperationalError(
        `expected ${peer.name} to write ${messages} messages, ${rows.lost} are missing; its log is in ${job.directory}`,
      );
    }
    keep = false;
    return {
      count: messages,
      ...usage,
      bytesOut: files.reduce((sum, { bytes }) => sum + bytes, 0),
      files: files.length,
      requests: await requests(),
      lost: rows.lost,
      twice: rows.twice,
      serverCpuSeconds,
      others: Math.max(
        0,
        (busy - usage.cpuSeconds - serverCpuSeconds) / (usage.seconds * thisMachine().cores),
      ),
    };
  } finally {
    // After a failure its files stay, to be looked at.
    if (!keep) job.remove();
  }
}
