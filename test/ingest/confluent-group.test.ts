import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { installKafkaJavascript } from '../../scripts/kafka-javascript.ts';
import { FencedError } from '../../src/errors.ts';
import { createConfluentClient } from '../../src/ingest/confluent-client.ts';
import type { Assignment, Source, SourceHandlers } from '../../src/ports.ts';
import type { Position } from '../../src/types.ts';
import { messagesOf, recordBatches } from '../contract/source.ts';
import { addressOf, createKafkaFixture, type KafkaFixture } from './kafka-fixture.ts';
import { until } from './until.ts';

/** Of the library's `ConsumerGroupStates`. */
const STABLE = 3;

beforeAll(async () => {
  await installKafkaJavascript();
}, 900_000);

let fixture: KafkaFixture;
afterEach(() => fixture.remove());

async function make(partitions: number): Promise<void> {
  fixture = await createKafkaFixture({ createClient: createConfluentClient, partitions });
}

/** Waits until the group has so many members and is stable. */
async function joined(count: number): Promise<void> {
  // Not at the top: the package may get its native part only before the first test.
  const { AdminClient } = await import('@confluentinc/kafka-javascript');
  const admin = AdminClient.create({ 'bootstrap.servers': addressOf('SLUICE_KAFKA') });
  onTestFinished(() => admin.disconnect());
  const describeGroups = promisify<string[], { groups: { members: object[]; state: number }[] }>(
    admin.describeGroups.bind(admin),
  );
  let isSo = false;
  for (let attempt = 0; !isSo && attempt < 300; attempt++) {
    const { groups } = await describeGroups([fixture.group]);
    const [group] = groups;
    isSo = group?.members.length === count && group.state === STABLE;
    await sleep(200);
  }
  expect(isSo).toBe(true);
}

/** A process that archives: what it has read it keeps back, and gives out with its commit, all or nothing. */
function archive(config: object, archived: string[]) {
  const source: Source = fixture.open(config);
  const assignments: Assignment[] = [];
  const events: string[] = [];
  let rows: string[] = [];
  let next = new Map<number, Position>();
  let flushes: Promise<void> = Promise.resolve();

  /** One after the other, so that the one of a revocation waits for the one under way. */
  function flush(token: number): Promise<void> {
    flushes = flushes.then(() => flushNow(token));
    return flushes;
  }

  async function flushNow(token: number): Promise<void> {
    if (next.size === 0) return;
    const [done, positions] = [rows, [...next.values()]];
    rows = [];
    next = new Map();
    try {
      await source.commit(token, positions, `tx-${token}`);
      archived.push(...done);
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      events.push('fenced');
    }
  }

  const handlers: SourceHandlers = {
    assigned(assignment) {
      assignments.push(assignment);
      events.push(`assigned ${assignment.partitions.length}`);
      return Promise.resolve();
    },
    batch(batch) {
      rows.push(...messagesOf([batch]).map(([, , value]) => value));
      next.set(batch.partition, { topic: batch.topic, partition: batch.partition, offset: batch.next });
      return Promise.resolve();
    },
    async revoked(token) {
      await flush(token);
      events.push('revoked');
    },
    lost() {
      rows = [];
      next = new Map();
      events.push('lost');
    },
  };
  const running = source.run(handlers, { untilEnd: false });
  // What fails here is thrown by whoever awaits it below.
  running.catch(() => undefined);
  return {
    source,
    events,
    partitions: () =>
      (assignments.at(-1)?.partitions ?? []).map(({ partition }) => partition).toSorted((a, b) => a - b),
    flush: () => flush(assignments.at(-1)!.token),
    async end() {
      source.stop();
      await running;
      await flush(assignments.at(-1)!.token);
      await source.close();
    },
  };
}

describe.each([
  { name: 'cooperative-sticky', config: { group_protocol: 'classic' } },
  { name: 'KIP-848', config: { group_protocol: 'consumer' } },
])('a group by $name', ({ config }) => {
  it('a member joins and one leaves, while messages come: nothing is archived twice, nothing is lost', async () => {
    await make(4);
    const archived: string[] = [];
    const wanted: string[] = [];
    const produce = async (count: number) => {
      for (let partition = 0; partition < 4; partition++) {
        const values = Array.from({ length: count }, (_, at) => `${partition}-${wanted.length + at}`);
        wanted.push(...values);
        await fixture.produce(partition, values);
      }
    };
    await produce(100);
    const first = archive(config, archived);
    await until('the first member reads all partitions', () => first.partitions().length === 4);
    await produce(100);
    await first.flush();
    const second = archive(config, archived);
    await produce(100);
    const shared = () => first.partitions().length === 2 && second.partitions().length === 2;
    await until('both members read two partitions each', shared);
    expect([...first.partitions(), ...second.partitions()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    await produce(100);
    await second.flush();
    await first.end();
    await produce(100);
    await until('the second member reads all partitions', () => second.partitions().length === 4);
    const isComplete = async () => {
      await second.flush();
      return archived.length >= wanted.length;
    };
    const deadline = performance.now() + 60_000;
    while (!(await isComplete()) && performance.now() < deadline) await sleep(50);
    await second.end();
    expect(archived.toSorted()).toEqual(wanted.toSorted());
    expect([...first.events, ...second.events]).not.toContain('lost');
    expect([...first.events, ...second.events]).not.toContain('fenced');
  });

  it('a change of assignment ends the token: its commit is refused, what is kept is read again from what is committed', async () => {
    await make(2);
    for (const partition of [0, 1]) await fixture.produce(partition, ['a', 'b']);
    const recording = recordBatches();
    const source = fixture.open(config);
    const running = source.run(recording, { untilEnd: false });
    await until('all is read', () => messagesOf(recording.batches).length === 4);
    const [before] = recording.assignments;
    const other = archive(config, []);
    await until('partitions are shared', () => other.partitions().length === 1);
    const after = () => recording.assignments.at(-1)!;
    await until('a new assignment', () => after().partitions.length === 1);
    await until('the kept partition is read again', () => messagesOf(recording.batches).length === 6);
    expect(recording.events).toContain(`revoked ${before!.token}`);
    const positions = before!.partitions.map(({ topic, partition }) => ({ topic, partition, offset: 2 }));
    await expect(source.commit(before!.token, positions, 'late')).rejects.toThrow(FencedError);
    source.stop();
    await running;
  });

  it('members whose partitions stay the same are not disturbed by one that joins and gets none', async () => {
    await make(2);
    const members = [archive(config, []), archive(config, [])];
    await until('one partition each', () => members.every((each) => each.partitions().length === 1));
    const before = members.map(({ events }) => events.length);
    archive(config, []);
    await joined(3);
    expect(members.map(({ events }) => events.length)).toEqual(before);
  });

  it('a static member that is back soon has its partitions, and no other notices', async () => {
    await make(4);
    const one = archive({ ...config, instance: 'one' }, []);
    const two = archive({ ...config, instance: 'two' }, []);
    await until('shared', () => one.partitions().length === 2 && two.partitions().length === 2);
    const [own, before] = [one.partitions(), two.events.length];
    await one.end();
    const again = archive({ ...config, instance: 'one' }, []);
    await until('its partitions are back', () => again.partitions().length === 2);
    expect(again.partitions()).toEqual(own);
    expect(two.events.length).toBe(before);
  });

  it('two processes with the name of one static member: one of them ends and says so', async () => {
    await make(2);
    const sources = [1, 2].map(() => fixture.open({ ...config, instance: 'one' }));
    const ends = sources.map((source) => source.run(recordBatches(), { untilEnd: false }));
    await expect(Promise.race(ends)).rejects.toThrow(/source\.instance/);
    for (const source of sources) source.stop();
    await Promise.allSettled(ends);
  });

  it('a handler that is slower than sessions and rebalances last keeps its assignment', async () => {
    await make(2);
    const wanted = Array.from({ length: 3000 }, (_, at) => String(at));
    await fixture.produce(0, wanted);
    await fixture.produce(1, ['other']);
    const brief = { session_timeout: '1s', rebalance_timeout: '1s' };
    const source = fixture.open({ ...config, ...brief });
    let isFirst = true;
    const recording = recordBatches(async ({ partition }) => {
      if (partition !== 0 || !isFirst) return;
      isFirst = false;
      await sleep(3000);
    });
    await source.run(recording, { untilEnd: true });
    expect(recording.events.filter((event) => /revoked|lost/.test(event))).toEqual([]);
    const own = messagesOf(recording.batches).filter(([partition]) => partition === 0);
    expect(own.map(([, , value]) => value)).toEqual(wanted);
  });
});
