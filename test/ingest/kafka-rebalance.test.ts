import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FencedError } from '../../src/errors.ts';
import type { CommittedPosition, Source } from '../../src/ports.ts';
import type { RawBatch } from '../../src/types.ts';
import { recordBatches, type Recording } from '../contract/source.ts';
import { createKafkaFixture, type KafkaFixture } from './kafka-fixture.ts';
import { until } from './until.ts';

let kafka: KafkaFixture;
const running: Promise<unknown>[] = [];
beforeEach(async () => {
  kafka = await createKafkaFixture({ partitions: 4 });
});
afterEach(async () => {
  await kafka.remove();
  await Promise.all(running.splice(0));
});

/** Runs a member; it must not fail. */
function start(source: Source, handlers: Recording): Recording {
  const ended = source.run(handlers, { untilEnd: false });
  ended.catch(() => undefined);
  running.push(ended);
  return handlers;
}

const current = (recording: Recording) => recording.assignments.at(-1)!;
const numbers = (partitions: readonly { readonly partition: number }[]) =>
  partitions.map(({ partition }) => partition).toSorted((a, b) => a - b);
const endOf = ({ topic, partition, next }: RawBatch) => ({ topic, partition, offset: next });
const fenced = (attempt: Promise<unknown>) => expect(attempt).rejects.toBeInstanceOf(FencedError);

describe('rebalances', () => {
  it('partitions go over with what the last flush commits, and nothing is read twice or left out', async () => {
    for (let partition = 0; partition < 4; partition++) await kafka.produce(partition, ['a', 'b']);
    const one = kafka.open();
    const seen: [number, number][] = [];
    const note = ({ partition, offsets }: RawBatch) => {
      for (const offset of offsets) seen.push([partition, offset]);
    };
    const first = recordBatches(note);
    let flushed = 0;
    let limit = 0;
    start(one, {
      ...first,
      async revoked(token, given) {
        limit = given;
        const positions = first.batches.slice(flushed).map(endOf);
        flushed = first.batches.length;
        // Longer than a few heartbeats: the group must wait for it.
        await sleep(1000);
        if (positions.length > 0) await one.commit(token, positions, `flush-${token}`);
        await first.revoked(token, given);
      },
    });
    await until('all messages', () => seen.length === 8);
    const two = kafka.open();
    const second = start(two, recordBatches(note));
    await until('partitions for both', () => first.assignments.length === 2 && second.assignments.length > 0);
    expect(limit).toBeGreaterThan(5000);
    const all = [...current(first).partitions, ...current(second).partitions];
    expect(numbers(all)).toEqual([0, 1, 2, 3]);
    expect([current(first).partitions.length, current(second).partitions.length]).toEqual([2, 2]);
    for (const { offset, transaction } of all) expect([offset, transaction]).toEqual([2, 'flush-1']);
    expect([...current(second).transactions]).toEqual(['flush-1']);

    for (let partition = 0; partition < 4; partition++) await kafka.produce(partition, ['c']);
    await until('the new ones', () => seen.length === 12);
    const expected = [0, 1, 2, 3].flatMap((partition) => [0, 1, 2].map((offset) => [partition, offset]));
    expect(seen.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])).toEqual(expected);

    // It leaves at once, so the other need not wait for its session to time out.
    await two.close();
    await until('everything back', () => current(first).partitions.length === 4);
  });

  it('a flush that takes longer than the limit does not hold the group, and cannot commit', async () => {
    await kafka.produce(0, ['a']);
    const one = kafka.open({ rebalance_timeout: '2s' });
    let outcome: unknown;
    const first = recordBatches();
    start(one, {
      ...first,
      async revoked(token, limit) {
        await sleep(limit + 1500);
        outcome = await one.commit(token, first.batches.map(endOf), 'late').catch((error: unknown) => error);
        await first.revoked(token, limit);
      },
    });
    await until('the message', () => first.batches.length === 1);
    const two = kafka.open({ rebalance_timeout: '2s' });
    const second = start(two, recordBatches());
    await until('its share', () => current(second)?.partitions.length === 2);
    expect(current(second).transactions.size).toBe(0);
    await until('the end of the flush', () => first.assignments.length === 2);
    expect(outcome).toBeInstanceOf(FencedError);
    expect(outcome).toMatchObject({ mayHaveCommitted: false });
  });

  it('a token from before does not count, although the member has the partition again', async () => {
    await kafka.produce(0, ['a', 'b']);
    const one = kafka.open();
    const first = start(one, recordBatches());
    await until('the messages', () => first.batches.length === 1);
    const late = first.batches.map(endOf);
    const two = kafka.open();
    const second = start(two, recordBatches());
    await until('partitions for both', () => second.assignments.length > 0);
    await two.close();
    const back = () => first.assignments.findLast(({ partitions }) => partitions.length === 4);
    const again = await until('everything back', () => (back()?.token ?? 1) > 1 && back());
    await fenced(one.commit(1, late, 'late'));
    await one.commit(again.token, [{ topic: kafka.topic, partition: 0, offset: 1 }], 'mine');
    await one.close();
    const last = recordBatches();
    await kafka.open().run(last, { untilEnd: true });
    const position = current(last).partitions.find(({ partition }) => partition === 0);
    expect(position).toMatchObject({ offset: 1, transaction: 'mine' } satisfies Partial<CommittedPosition>);
  });

  it('a member without partitions is told so, with all transactions of the group', async () => {
    const first = kafka.open();
    const recordings = [start(first, recordBatches())];
    await until('the first assignment', () => recordings[0]!.assignments.length === 1);
    await first.commit(1, [{ topic: kafka.topic, partition: 0, offset: 0 }], 'tx');
    for (let count = 0; count < 4; count++) recordings.push(start(kafka.open(), recordBatches()));
    const shares = () => recordings.map((recording) => recording.assignments.at(-1)?.partitions.length ?? -1);
    await until(
      'a share for each',
      () =>
        shares()
          .toSorted((a, b) => a - b)
          .join() === '0,1,1,1,1',
    );
    const idle = recordings.find((recording) => current(recording).partitions.length === 0)!;
    expect([...current(idle).transactions]).toEqual(['tx']);
  });

  it('several members that read to the end all come to it', async () => {
    for (let partition = 0; partition < 4; partition++) await kafka.produce(partition, ['a', 'b', 'c']);
    const seen: string[] = [];
    const members = Array.from({ length: 5 }, () => kafka.open({ batch_messages: 1 }));
    const runs = members.map(async (member) => {
      const recording = recordBatches(async (batch, token) => {
        await member.commit(token, [endOf(batch)], 'tx');
        seen.push(`${batch.partition}-${batch.offsets[0]}`);
      });
      await member.run(recording, { untilEnd: true });
      await member.close();
    });
    await Promise.all(runs);
    const expected = [0, 1, 2, 3].flatMap((partition) => [0, 1, 2].map((offset) => `${partition}-${offset}`));
    expect(seen.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(expected);
  });

  it('what `assigned` commits is where reading begins', async () => {
    await kafka.produce(0, ['a', 'b', 'c']);
    const before = kafka.open();
    const first = recordBatches();
    await before.run(first, { untilEnd: true });
    await before.commit(1, [{ topic: kafka.topic, partition: 0, offset: 3 }], 'lost-file');
    await before.close();
    const source = kafka.open();
    const recording = recordBatches();
    const handlers: Recording = {
      ...recording,
      async assigned({ token }) {
        await source.commit(token, [{ topic: kafka.topic, partition: 0, offset: 1 }], 'rewound');
      },
    };
    await source.run(handlers, { untilEnd: true });
    expect(recording.batches.flatMap(({ offsets }) => [...offsets])).toEqual([1, 2]);
  });
});

describe('sessions', () => {
  it('lag tells position, commit and end, also of partitions that wait', async () => {
    await kafka.produce(0, ['a', 'b']);
    const source = kafka.open({ batch_messages: 1 }, { lagMillis: 50 });
    const gate = Promise.withResolvers<void>();
    const recording = start(
      source,
      recordBatches(() => gate.promise),
    );
    await until('the first', () => recording.batches.length === 1);
    await source.commit(1, [{ topic: kafka.topic, partition: 0, offset: 1 }], 'tx');
    await kafka.produce(0, ['c', 'd']);
    const lag = () => source.lag().find(({ partition }) => partition === 0)!;
    await until('the new end', () => lag().end === 4);
    expect(lag()).toEqual({ topic: kafka.topic, partition: 0, position: 1, committed: 1, end: 4 });
    gate.resolve();
    await until('the rest', () => lag().position === 4);
  });

  it('last however long a handler takes; other partitions go on meanwhile', async () => {
    await kafka.produce(0, ['slow']);
    const source = kafka.open({ session_timeout: '1500ms' });
    const gate = Promise.withResolvers<void>();
    const recording = start(
      source,
      recordBatches(({ partition }) => (partition === 0 ? gate.promise : undefined)),
    );
    await until('the first', () => recording.batches.length === 1);
    for (let count = 0; count < 4; count++) {
      await sleep(800);
      await kafka.produce(1, [`${count}`]);
    }
    await until('the others', () => recording.batches.length === 5);
    await kafka.produce(0, ['next']);
    gate.resolve();
    await until('the next', () => recording.batches.length === 6);
    const { token } = current(recording);
    expect([token, recording.assignments.length]).toEqual([1, 1]);
    await source.commit(token, [endOf(recording.batches.at(-1)!)], 'tx');
  });

  it('a commit that the broker refuses before any heartbeat could ends the assignment, not the run', async () => {
    await kafka.produce(0, ['a']);
    const source = kafka.open({ session_timeout: '1500ms' });
    const outcomes: unknown[] = [];
    const recording = start(
      source,
      recordBatches(async (batch, token) => {
        // Blocks the thread, and with it the heartbeats, past the session.
        if (token === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
        await source.commit(token, [endOf(batch)], `tx-${token}`).catch((error: unknown) => {
          outcomes.push(error);
          throw error;
        });
      }),
    );
    await until('the message again', () => recording.batches.length === 2);
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toBeInstanceOf(FencedError);
    expect(String(outcomes[0])).toMatch(/commit refused/);
    expect(recording.events.filter((event) => event.startsWith('lost'))).toEqual(['lost 1']);
    await until('the commit', () => source.lag().find(({ partition }) => partition === 0)?.committed === 1);
  });

  it('a process that was stopped for longer than its session is fenced, and what its successor committed stays', async () => {
    await kafka.produce(0, ['a', 'b']);
    const config = JSON.stringify({ session_timeout: '1500ms' });
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, 'kafka-zombie-child.ts'), kafka.topic, kafka.group, config],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    await until('a batch of the other process', () => lines.includes('batch 2'));
    child.kill('SIGSTOP');
    const source = kafka.open({ session_timeout: '1500ms' });
    const recording = start(source, recordBatches());
    await until('the messages', () => recording.batches.length === 1);
    const { token } = current(recording);
    await source.commit(token, [{ topic: kafka.topic, partition: 0, offset: 1 }], 'successor');
    child.stdin.write('commit\n');
    child.kill('SIGCONT');
    await until('an outcome', () => lines.find((line) => line.startsWith('fenced')));
    expect(await ended).toEqual([0, null]);
    const committed = await kafka.admin.fetchOffsets({ groupId: kafka.group, topics: [kafka.topic] });
    const position = committed[0]!.partitions.find(({ partition }) => partition === 0);
    expect(position).toMatchObject({ offset: '1', metadata: 'successor' });
  });

  it('stop and close work at any time', async () => {
    const never = kafka.open();
    await never.close();
    const early = kafka.open();
    const ended = early.run(recordBatches(), { untilEnd: false });
    early.stop();
    await ended;
    await early.close();
    const joining = kafka.open();
    const joined = joining.run(recordBatches(), { untilEnd: false });
    await sleep(30);
    joining.stop();
    await joined;
    await joining.close();
    const before = kafka.open();
    before.stop();
    await before.run(recordBatches(), { untilEnd: true });
  });
});
