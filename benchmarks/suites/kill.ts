import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError } from '../../src/errors.ts';
import { Random } from '../content/random.ts';
import type { Measurement, Sample, Suite, SuiteOptions } from '../harness/sample.ts';
import { openServers, type Servers } from '../harness/servers.ts';
import { USUAL_TOPIC, fillTopic } from '../harness/topic.ts';
import { closeAdmins } from '../peers/committed.ts';
import type { Installed, Peer } from '../peers/peer.ts';
import { countJob, openJob, startPeer, untilDone, type JobOptions } from '../peers/run-job.ts';
import { installPeers } from './peers.ts';

const MESSAGES = 400_000;
/** Small enough that files are being written at any moment. */
const FLUSH_ROWS = 50_000;

/** What `kill -9` in the middle of a job, and a new start, cost each of them: rows lost, rows twice. */
export async function openKill(options: SuiteOptions): Promise<Suite> {
  const { messages = MESSAGES } = options;
  const servers = await openServers();
  const all = await installPeers(options);
  return {
    name: 'kill',
    measurements: all.map(({ peer, installed }) => killMeasurement({ servers, peer, installed, messages })),
    async close() {
      await closeAdmins();
      await servers.close();
    },
  };
}

function killMeasurement(options: {
  readonly servers: Servers;
  readonly peer: Peer;
  readonly installed: Installed;
  readonly messages: number;
}): Measurement {
  const { servers, peer, installed, messages } = options;
  const flushRows = Math.max(1, Math.min(FLUSH_ROWS, Math.ceil(messages / 8)));
  let whole: Promise<number> | undefined;
  return {
    name: peer.name,
    title: peer.title,
    unit: 'messages',
    parameters: { messages, ...USUAL_TOPIC, flush_rows: flushRows },
    versions: installed.versions,
    async sample(round) {
      const topic = await fillTopic(servers.broker, { ...USUAL_TOPIC, messages });
      const job = { servers, topic, messages, flushRows };
      whole ??= undisturbed(peer, installed, job);
      return killed(peer, installed, job, { round, whole: await whole });
    },
  };
}

/** Seconds that the whole job takes when nobody disturbs it. */
async function undisturbed(peer: Peer, installed: Installed, options: JobOptions): Promise<number> {
  const job = await openJob(peer, options);
  try {
    await peer.prepare?.(job, installed);
    return (await untilDone(peer, installed, job, startPeer(peer, installed, job))).seconds;
  } finally {
    job.remove();
  }
}

/** One job that is killed between 40 and 80 per cent of its time, started again, and counted at its end. */
async function killed(
  peer: Peer,
  installed: Installed,
  options: JobOptions,
  { round, whole }: { readonly round: number; readonly whole: number },
): Promise<Sample> {
  const at = 0.4 + 0.4 * new Random(round + 1).next();
  const job = await openJob(peer, options);
  try {
    await peer.prepare?.(job, installed);
    const first = startPeer(peer, installed, job);
    await Promise.race([first.ended, sleep(at * whole * 1000)]);
    if (first.hasEnded())
      throw new OperationalError(
        `expected ${peer.name} to be at work after ${(at * whole).toFixed(1)} s, it had ended; measure with more messages`,
      );
    await first.end('SIGKILL');
    const before = first.usage();
    const after = await untilDone(peer, installed, job, startPeer(peer, installed, job));
    const { lost, twice } = await countJob(peer, installed, job);
    return {
      count: options.messages,
      seconds: before.seconds + after.seconds,
      cpuSeconds: before.cpuSeconds + after.cpuSeconds,
      peakRss: Math.max(before.peakRss, after.peakRss),
      lost,
      twice,
      more: { 'killed after s': before.seconds },
    };
  } finally {
    job.remove();
  }
}
