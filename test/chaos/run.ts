import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startFaultyS3 } from '../services/faulty-s3.ts';
import { startBackend, type Backend } from './backend.ts';
import { createClock } from './clock.ts';
import { doFaults, type DoneFault } from './faults.ts';
import { judge, type Judgement } from './judge.ts';
import { startMember, type MemberExit } from './member.ts';
import { createMessages } from './messages.ts';
import { crashChain, planFaults, type PlanOptions } from './plan.ts';
import { startProducer } from './producer.ts';
import { s3Rule } from './s3-rule.ts';
import { superviseMembers, type Supervisor } from './supervisor.ts';
import { verify, type Verdict } from './verify.ts';

/** What a run consists of. */
export interface ChaosOptions {
  /** Directory of everything: servers, logs, record, configuration. */
  readonly directory: string;
  readonly messages: number;
  readonly customers: number;
  readonly partitions: number;
  /** Seconds over which messages and faults are spread. */
  readonly seconds: number;
  readonly plan: PlanOptions;
  /** Milliseconds. */
  readonly sessionTimeout: number;
  /** Oldest age of buffered rows, such as `1s`. */
  readonly rotateAge: string;
  readonly onProgress?: (line: string) => void;
}

/** What happened, and whether the promise held. */
export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly DoneFault[];
  readonly kills: number;
  readonly crashes: Supervisor['counts']['crashes'];
  readonly zombies: number;
  readonly starts: number;
  readonly rebalances: number;
  readonly flushes: number;
  readonly fenced: number;
  /** Ends of processes that nobody asked for. */
  readonly exits: readonly MemberExit[];
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  /** Committed and end offset of each partition. */
  readonly committed: readonly number[];
  readonly ends: readonly number[];
  /** What went wrong; empty when the promise held. */
  readonly failures: readonly string[];
}

/** Names within the servers of a run. */
export const TOPIC = 'content';
const BUCKET = 'lake';
const PREFIX = 'moderation/';
export const GROUP = 'chaos';

/** Writes the configuration of the members and returns its path. */
export function writeMemberConfig(
  directory: string,
  options: Pick<ChaosOptions, 'sessionTimeout' | 'rotateAge'> & {
    readonly broker: string;
    readonly endpoint: string;
    readonly memory?: string;
  },
): string {
  const { sessionTimeout, rotateAge, broker, endpoint, memory = '64MiB' } = options;
  const file = join(directory, 'sluice.yaml');
  const config = {
    name: GROUP,
    kafka: { brokers: [broker] },
    source: {
      type: 'kafka',
      topics: [TOPIC],
      group: GROUP,
      session_timeout: `${sessionTimeout}ms`,
      rebalance_timeout: `${sessionTimeout * 2}ms`,
      heartbeat_interval: `${Math.round(sessionTimeout / 6)}ms`,
    },
    classify: { model: 'drop', workers: 1 },
    archive: {
      store: { type: 's3', bucket: BUCKET, prefix: PREFIX, endpoint, path_style: true },
      rotate: { age: rotateAge },
      memory,
    },
    server: { listen: '127.0.0.1:0' },
  };
  writeFileSync(file, stringify(config));
  return file;
}

/** Servers, topic and bucket of a run, with the directory in which its archive will lie. */
export async function prepareBackend(
  directory: string,
  partitions: number,
): Promise<Backend & { readonly root: string }> {
  const backend = await startBackend(join(directory, 'services'));
  try {
    await backend.createBucket(BUCKET);
    await backend.createTopic(TOPIC, partitions);
  } catch (error) {
    await backend.close();
    throw error;
  }
  return { ...backend, root: backend.directoryOf(BUCKET, PREFIX) };
}

/** One whole run: servers, producer, members, faults, the end of every partition, and the judges. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { directory, partitions, plan, sessionTimeout, onProgress = () => undefined } = options;
  const started = performance.now();
  const logs = join(directory, 'logs');
  mkdirSync(logs, { recursive: true });
  const backend = await prepareBackend(directory, partitions);
  const proxy = await startFaultyS3(backend.endpoint);
  const config = writeMemberConfig(directory, {
    ...options,
    broker: backend.broker,
    endpoint: proxy.url,
  });
  const record = join(directory, 'written.jsonl');
  const messageOf = createMessages({
    seed: plan.seed,
    customers: options.customers,
    partitions,
    lateFrom: Math.floor(options.messages * 0.8),
  });
  let supervisor: Supervisor | undefined;
  try {
    const clock = await createClock(join(directory, 'clock'));
    supervisor = superviseMembers({
      members: plan.members,
      config,
      logs,
      env: backend.env,
      sessionTimeout,
      diskFull: true,
      arms: crashChain(plan.members).slice(0, plan.members),
      onExit: ({ member, pid, code, signal, crashAt }) =>
        onProgress(
          `${member} (${pid}) ended by ${signal ?? `code ${code}`}${crashAt ? ` (armed with ${crashAt})` : ''}`,
        ),
    });
    const producer = startProducer({
      brokers: [backend.broker],
      topic: TOPIC,
      messageOf,
      record,
      messages: options.messages,
      seconds: options.seconds,
    });
    const faults = await doFaults(
      planFaults(plan),
      { supervisor, backend, producer, clock, s3: (fault) => proxy.set(fault && s3Rule(fault, plan.seed)) },
      {
        seconds: options.seconds,
        onDone: ({ kind, detail, from, to, error }) =>
          onProgress(
            `${from.toFixed(1)} to ${to.toFixed(1)} s: ${kind} ${detail}${error ? `: ${error}` : ''}`,
          ),
      },
    );
    await producer.finish();
    onProgress(`${producer.written()} messages written; the members go on to the end`);
    // All of them, whatever was done to them.
    await supervisor.up();
    const stopped = await supervisor.terminate();
    const finished = await runToEnd({ members: plan.members, config, logs, env: backend.env });
    const ends = await backend.ends(TOPIC);
    const report = {
      seed: plan.seed,
      faults,
      exits: supervisor.surprises,
      kills: supervisor.counts.kills,
      crashes: supervisor.counts.crashes,
      zombies: supervisor.counts.zombies,
      starts: supervisor.counts.starts,
      rebalances: supervisor.counts.events['assigned'] ?? 0,
      flushes: supervisor.counts.events['flushed'] ?? 0,
      fenced: supervisor.counts.events['fenced'] ?? 0,
      ends,
      committed: await backend.committed(GROUP, TOPIC),
      judgement: await judge({
        root: backend.root,
        record,
        partitions: ends.map((end, partition) => ({
          partition,
          end,
          markers: producer.markers.get(partition) ?? 0,
        })),
      }),
      verdict: await verify(config, backend.env),
      seconds: (performance.now() - started) / 1000,
    };
    const behind = ends.flatMap((end, partition) => {
      const at = report.committed[partition] ?? -1;
      return end > 0 && at !== end
        ? [`partition ${partition}: expected offset ${end} committed, got ${at}`]
        : [];
    });
    return { ...report, failures: [...failuresOf(report, [...stopped, ...finished]), ...behind] };
  } finally {
    await supervisor?.abandon();
    await proxy.close();
    await backend.close();
  }
}

/** Longest that a last run may take to reach the end, milliseconds. */
const END_LIMIT = 180_000;

/** Runs members with `--until-end`, all at once; resolves with how they ended, by SIGKILL those that do not. */
export async function runToEnd(options: {
  readonly members: number;
  readonly config: string;
  readonly logs: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<MemberExit[]> {
  const { members, ...rest } = options;
  const started = Array.from({ length: members }, (_, index) =>
    startMember({ ...rest, name: `last-${index}`, untilEnd: true }),
  );
  const hung = setTimeout(() => started.forEach((member) => member.signal('SIGKILL')), END_LIMIT);
  const ends = await Promise.all(started.map(({ exited }) => exited));
  clearTimeout(hung);
  return ends;
}

/** What breaks the promise in a report. */
export function failuresOf(
  report: Pick<ChaosReport, 'faults' | 'exits' | 'judgement' | 'verdict'>,
  ends: readonly MemberExit[],
): string[] {
  const { faults, exits, judgement, verdict } = report;
  return [
    ...judgement.violations.map(
      ({ kind, count, samples }) => `${kind}: ${count}, such as ${samples.join('; ')}`,
    ),
    ...(verdict.code === 0
      ? []
      : [`sluice verify: exit code ${verdict.code}: ${verdict.stderr || JSON.stringify(verdict.report)}`]),
    ...(verdict.rows === judgement.rows && verdict.deadLetters === judgement.deadLetters
      ? []
      : [
          `sluice verify counts ${verdict.rows} rows and ${verdict.deadLetters} dead letters, DuckDB ${judgement.rows} and ${judgement.deadLetters}`,
        ]),
    ...faults.flatMap(({ kind, error }) =>
      error === undefined ? [] : [`${kind} could not be done: ${error}`],
    ),
    ...ends
      .filter(({ code }) => code !== 0)
      .map(
        ({ member, code, signal, log, last }) => `${member} ended with ${signal ?? code} (${log}):\n${last}`,
      ),
    ...exits
      .filter(({ last, signal }) => signal !== null || last.includes('sluice: unexpected'))
      .map(
        ({ member, code, signal, log, last }) =>
          `${member} crashed with ${signal ?? code} (${log}):\n${last}`,
      ),
  ];
}
