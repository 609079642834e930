import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { judge, type Judgement } from './judge.ts';
import { createMessages } from './messages.ts';
import { startProducer } from './producer.ts';
import { failuresOf, GROUP, prepareBackend, runToEnd, TOPIC, writeMemberConfig } from './run.ts';
import { superviseMembers, type Supervisor } from './supervisor.ts';
import { verify, type Verdict } from './verify.ts';

/** A run during which the S3 server is killed and stays away. */
export interface OutageOptions {
  readonly directory: string;
  readonly seed: number;
  readonly members: number;
  readonly partitions: number;
  readonly customers: number;
  /** Messages a second, before, during and after. */
  readonly speed: number;
  /** Seconds that S3 is away. */
  readonly seconds: number;
  /** Milliseconds. */
  readonly sessionTimeout: number;
  readonly rotateAge: string;
  /** Budget of buffered rows, such as `1MiB`: less than what is written meanwhile. */
  readonly memory: string;
  readonly onProgress?: (line: string) => void;
}

/** The members at one moment, summed up. */
export interface OutageSample {
  /** Seconds since S3 was killed. */
  readonly at: number;
  /** Messages written, and offsets that are committed. */
  readonly written: number;
  readonly committed: number;
  /** As the members' metrics say: messages not read yet, and bytes buffered. */
  readonly positionLag: number;
  readonly bufferedBytes: number;
  readonly residentBytes: number;
}

/** What happened. */
export interface OutageReport {
  readonly seed: number;
  readonly samples: readonly OutageSample[];
  /** Seconds from S3's return until everything written by then was committed. */
  readonly resumedAfter: number;
  readonly judgement: Judgement;
  readonly verdict: Verdict;
  readonly failures: readonly string[];
}

/** Share of the budget that buffered rows may take: one batch may always be added when there is room. */
const BUDGET_SLACK = 1.5;
/** Longest wait for the members to catch up once S3 is back, seconds. */
const RESUME_LIMIT = 120;
/** Memory beyond the budget that the outage may cost all members together: the runtime's own slack. */
const RESIDENT_SLACK = 256 * 1024 ** 2;

/** Members run, S3 is killed, `seconds` later it is back; nothing else is done to anybody. */
export async function runOutage(options: OutageOptions): Promise<OutageReport> {
  const {
    directory,
    seed,
    members,
    partitions,
    seconds,
    speed,
    sessionTimeout,
    onProgress = () => undefined,
  } = options;
  const logs = join(directory, 'logs');
  mkdirSync(logs, { recursive: true });
  const backend = await prepareBackend(directory, partitions);
  const { broker, endpoint, env, root } = backend;
  const config = writeMemberConfig(directory, { ...options, broker, endpoint });
  const record = join(directory, 'written.jsonl');
  let supervisor: Supervisor | undefined;
  try {
    supervisor = superviseMembers({ members, config, logs, env, sessionTimeout, diskFull: true });
    const before = await supervisor.up();
    const early = supervisor.surprises.length;
    const messages = Math.round(speed * (seconds + 10));
    const messageOf = createMessages({
      seed,
      customers: options.customers,
      partitions,
      lateFrom: messages * 0.8,
    });
    const producer = startProducer({
      brokers: [broker],
      topic: TOPIC,
      messageOf,
      messages,
      seconds: seconds + 10,
      record,
    });
    await Promise.all(before.map((member) => member.logged('flushed')));
    const group = await backend.group(GROUP);
    const budget = sum(
      await Promise.all(before.map((member) => metric(member, 'sluice_memory_budget_bytes'))),
    );

    const sample = async (since: number): Promise<OutageSample> => ({
      at: (performance.now() - since) / 1000,
      written: producer.written(),
      committed: sum((await backend.committed(GROUP, TOPIC)).map((offset) => Math.max(0, offset))),
      positionLag: sum(
        await Promise.all(before.map((member) => metric(member, 'sluice_position_lag_messages'))),
      ),
      bufferedBytes: sum(await Promise.all(before.map((member) => metric(member, 'sluice_buffered_bytes')))),
      residentBytes: sum(before.map((member) => member.residentBytes() ?? 0)),
    });

    await backend.stop('s3', 'SIGKILL');
    const killed = performance.now();
    onProgress('S3 killed');
    const samples = [await sample(killed)];
    while (performance.now() - killed < seconds * 1000) {
      await delay(1000);
      samples.push(await sample(killed));
      onProgress(JSON.stringify(samples.at(-1)));
    }
    await backend.start('s3');
    const back = performance.now();
    onProgress('S3 is back');
    const ends = await backend.ends(TOPIC);
    const caughtUp = async () =>
      (await backend.committed(GROUP, TOPIC)).every(
        (offset, partition) => offset >= (ends[partition] ?? 0) || ends[partition] === 0,
      );
    while (!(await caughtUp()) && performance.now() - back < RESUME_LIMIT * 1000) await delay(250);
    const resumedAfter = (performance.now() - back) / 1000;
    onProgress(`caught up after ${resumedAfter.toFixed(1)} s`);
    const after = await backend.group(GROUP);
    const still = supervisor.processes().map(({ pid }) => pid);

    await producer.finish();
    const stopped = await supervisor.terminate();
    const finished = await runToEnd({ members, config, logs, env });
    const last = await backend.ends(TOPIC);
    const partitionEnds = last.map((end, partition) => ({
      partition,
      end,
      markers: producer.markers.get(partition) ?? 0,
    }));
    const judgement = await judge({ root, record, partitions: partitionEnds });
    const verdict = await verify(config, env);
    const first = samples[0]!;
    const end = samples.at(-1)!;
    const failures = [
      ...failuresOf({ faults: [], exits: supervisor.surprises, judgement, verdict }, [
        ...stopped,
        ...finished,
      ]),
      ...supervisor.surprises
        .slice(early)
        .map(({ member, code, last: lines }) => `${member} ended with ${code} while S3 was away:\n${lines}`),
      ...expect('the same processes', before.map(({ pid }) => pid).join(), still.join()),
      ...expect('the same members of the group', group.members.join(), after.members.join()),
      ...expect('a stable group', 'Stable', after.state),
      ...within(
        'committed offsets to stand still',
        end.committed - samples[Math.min(3, samples.length - 1)]!.committed,
        0,
        0,
      ),
      // The ends of paused partitions are looked up only now and then.
      ...within('position lag to grow', end.positionLag - first.positionLag, speed, Infinity),
      ...within(
        'buffered bytes to stay',
        Math.max(...samples.map((each) => each.bufferedBytes)),
        1,
        budget * BUDGET_SLACK,
      ),
      ...within(
        'resident memory to stay',
        end.residentBytes - first.residentBytes,
        -Infinity,
        RESIDENT_SLACK,
      ),
      ...within('seconds to catch up', resumedAfter, 0, RESUME_LIMIT),
    ];
    return { seed, samples, resumedAfter, judgement, verdict, failures };
  } finally {
    await supervisor?.abandon();
    await backend.close();
  }
}

/** Sum over its labels of a metric of a member. */
async function metric(
  member: { logged(action: string): Promise<Readonly<Record<string, unknown>>> },
  name: string,
): Promise<number> {
  const { sluice } = (await member.logged('server-started')) as {
    readonly sluice: { readonly address: string };
  };
  const text = await (await fetch(`${sluice.address}/metrics`)).text();
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  if (values.length === 0 && !text.includes(`# TYPE ${name} `))
    throw new Error(`expected the metric ${name}, got none`);
  return sum(values.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1))));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function expect(what: string, wanted: string, got: string): string[] {
  return wanted === got ? [] : [`expected ${what}: ${wanted}, got ${got}`];
}

function within(what: string, value: number, least: number, most: number): string[] {
  return value >= least && value <= most ? [] : [`expected ${what} (${least} to ${most}), got ${value}`];
}
