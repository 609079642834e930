import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FencedError } from '../../src/errors.ts';
import type { Assignment, Source, SourceHandlers } from '../../src/ports.ts';
import type { Position, RawBatch } from '../../src/types.ts';

/** A log that sources of the kind under test can be opened on. */
export interface SourceFixture {
  /** Adds messages to partitions 0, 1 …, which are made when missing. */
  append(partitions: readonly (readonly string[])[]): Promise<void>;
  /** A source as a new process would make it; all of one fixture share their committed positions. */
  open(): Source;
  /** Ends and removes everything. */
  remove(): Promise<void>;
}

/** What a {@link recordBatches} handler saw. */
export interface Recording extends SourceHandlers {
  readonly assignments: Assignment[];
  readonly batches: RawBatch[];
  readonly events: string[];
}

/** Handlers that keep what they are given; `onBatch` runs within `batch`. */
export function recordBatches(
  onBatch: (batch: RawBatch, token: number) => Promise<void> | void = () => undefined,
): Recording {
  const assignments: Assignment[] = [];
  const batches: RawBatch[] = [];
  const events: string[] = [];
  return {
    assignments,
    batches,
    events,
    async assigned(assignment) {
      events.push('assigned');
      assignments.push(assignment);
      await Promise.resolve();
      events.push('recovered');
    },
    async batch(batch, token) {
      events.push('batch');
      batches.push(batch);
      await onBatch(batch, token);
    },
    revoked(token) {
      events.push(`revoked ${token}`);
      return Promise.resolve();
    },
    lost(token) {
      events.push(`lost ${token}`);
    },
  };
}

/** The messages of batches as [partition, offset, value]. */
export function messagesOf(batches: readonly RawBatch[]): [number, number, string][] {
  return batches.flatMap(({ partition, rows, bytes, starts, ends, offsets }) =>
    Array.from({ length: rows }, (_, row): [number, number, string] => [
      partition,
      offsets[row]!,
      Buffer.from(bytes.subarray(starts[row], ends[row])).toString(),
    ]),
  );
}

/**
 * What every Source promises; call it from the test of each implementation. `joiningTakesOver`: a process that starts gets
 * what one holds that has stopped but not closed. Where it does not, the implementation's test shows how commits are fenced.
 */
export function sourceContract(
  name: string,
  create: () => Promise<SourceFixture>,
  { joiningTakesOver = true }: { readonly joiningTakesOver?: boolean } = {},
): void {
  describe(`${name} as a source`, () => {
    let fixture: SourceFixture;
    const opened: Source[] = [];
    const open = () => {
      const source = fixture.open();
      opened.push(source);
      return source;
    };
    beforeEach(async () => {
      fixture = await create();
    });
    afterEach(async () => {
      for (const source of opened.splice(0)) await source.close();
      await fixture.remove();
    });

    const values = (partition: number, count: number, first = 0) =>
      Array.from(
        { length: count },
        (_, at) => `{"p":${partition},"n":${first + at},"t":"é${'x'.repeat(at % 7)}"}`,
      );
    const ends = (batches: readonly RawBatch[]): Position[] => {
      const next = new Map<number, Position>();
      for (const { topic, partition, next: offset } of batches)
        next.set(partition, { topic, partition, offset });
      return [...next.values()];
    };
    const current = (recording: Recording) => recording.assignments.at(-1)!;
    const position = (recording: Recording, partition: number) =>
      current(recording).partitions.find((each) => each.partition === partition);

    it('check passes where there is something to read', async () => {
      await fixture.append([values(0, 1)]);
      await open().check();
    });

    it('hands over every message once, in its partition’s order, with offsets that lead to next', async () => {
      await fixture.append([values(0, 2500), values(1, 3), []]);
      const recording = recordBatches();
      await open().run(recording, { untilEnd: true });
      const messages = messagesOf(recording.batches);
      for (const [partition, count] of [2500, 3, 0].entries()) {
        const own = messages.filter((message) => message[0] === partition);
        expect(own.map(([, , value]) => value)).toEqual(values(partition, count));
        let next = 0;
        let begin = 0;
        for (const batch of recording.batches.filter((each) => each.partition === partition)) {
          expect(batch.rows).toBeGreaterThan(0);
          expect([
            batch.starts.length,
            batch.ends.length,
            batch.offsets.length,
            batch.timestamps.length,
          ]).toEqual(Array.from({ length: 4 }, () => batch.rows));
          for (const offset of batch.offsets) {
            expect(offset).toBeGreaterThanOrEqual(next);
            next = offset + 1;
          }
          expect(batch.next).toBeGreaterThanOrEqual(next);
          expect(batch.first).toBe(begin);
          begin = batch.next;
          expect(batch.receivedAt).toBeGreaterThan(Date.UTC(2020, 0));
        }
      }
      expect(recording.events.slice(0, 2)).toEqual(['assigned', 'recovered']);
    });

    it('a batch’s buffers may be moved away', async () => {
      await fixture.append([values(0, 2500)]);
      const moved: RawBatch[] = [];
      const recording = recordBatches((batch) => {
        const { bytes, starts, ends: valueEnds, offsets, timestamps } = batch;
        const transfer = [bytes, starts, valueEnds, offsets, timestamps].map(({ buffer }) => buffer);
        moved.push(structuredClone(batch, { transfer }));
      });
      await open().run(recording, { untilEnd: true });
      expect(messagesOf(moved).map(([, , value]) => value)).toEqual(values(0, 2500));
    });

    it('waits for the handler: one batch of a partition at a time', async () => {
      await fixture.append([values(0, 3000)]);
      let running = 0;
      const recording = recordBatches(async () => {
        expect(++running).toBe(1);
        await new Promise(setImmediate);
        running--;
      });
      await open().run(recording, { untilEnd: true });
      expect(recording.batches.length).toBeGreaterThan(1);
    });

    it('an error of a handler ends the run with that error', async () => {
      await fixture.append([values(0, 3000)]);
      const recording = recordBatches(() => Promise.reject(new Error('no room')));
      await expect(open().run(recording, { untilEnd: true })).rejects.toThrow('no room');
      expect(recording.batches.length).toBe(1);
    });

    it('goes on from what was committed, and tells the transaction', async () => {
      await fixture.append([values(0, 10), values(1, 5)]);
      const first = recordBatches();
      const source = open();
      await source.run(first, { untilEnd: true });
      expect(position(first, 0)).toMatchObject({ offset: 0, transaction: '' });
      const { topic } = first.batches[0]!;
      const { token } = current(first);
      await source.commit(token, [{ topic, partition: 0, offset: 4 }], 'tx-1');
      await source.commit(token, [{ topic, partition: 0, offset: 7 }], 'tx-2');
      await source.commit(token, [{ topic, partition: 1, offset: 5 }], 'tx-3');
      await source.close();

      await fixture.append([values(0, 2, 10), values(1, 2, 5)]);
      const second = recordBatches();
      await open().run(second, { untilEnd: true });
      expect(position(second, 0)).toEqual({ topic, partition: 0, offset: 7, transaction: 'tx-2' });
      expect(position(second, 1)).toEqual({ topic, partition: 1, offset: 5, transaction: 'tx-3' });
      expect(messagesOf(second.batches).toSorted((a, b) => a[0] - b[0] || a[1] - b[1])).toEqual([
        ...values(0, 5, 7).map((value, at) => [0, 7 + at, expect.stringMatching(value.slice(1, 12))]),
        ...values(1, 2, 5).map((value, at) => [1, 5 + at, expect.stringMatching(value.slice(1, 12))]),
      ]);
    });

    it('nothing new: the assignment still comes, so that recovery can run', async () => {
      await fixture.append([values(0, 3)]);
      const first = recordBatches();
      const source = open();
      await source.run(first, { untilEnd: true });
      await source.commit(current(first).token, ends(first.batches), 'tx-1');
      await source.close();
      const second = recordBatches();
      await open().run(second, { untilEnd: true });
      expect(second.batches).toEqual([]);
      expect(position(second, 0)).toMatchObject({ offset: 3, transaction: 'tx-1' });
    });

    it('what was not committed comes again', async () => {
      await fixture.append([values(0, 3)]);
      for (let count = 0; count < 2; count++) {
        const recording = recordBatches();
        const source = open();
        await source.run(recording, { untilEnd: true });
        await source.close();
        expect(messagesOf(recording.batches).map(([, offset]) => offset)).toEqual([0, 1, 2]);
      }
    });

    it('commits of one assignment’s token do not pass for another’s', async () => {
      await fixture.append([values(0, 3)]);
      const recording = recordBatches();
      const source = open();
      await source.run(recording, { untilEnd: true });
      const { token } = current(recording);
      await expect(source.commit(token + 1, ends(recording.batches), 'tx')).rejects.toThrow(FencedError);
      await source.commit(token, ends(recording.batches), 'tx');
    });

    it.runIf(joiningTakesOver)(
      'a process that took over fences the one before, whose commit changes nothing',
      async () => {
        await fixture.append([values(0, 5)]);
        const before = recordBatches();
        const zombie = open();
        await zombie.run(before, { untilEnd: true });
        const after = recordBatches();
        const owner = open();
        await owner.run(after, { untilEnd: true });
        const { topic } = after.batches[0]!;

        await expect(zombie.commit(current(before).token, ends(before.batches), 'late')).rejects.toThrow(
          FencedError,
        );
        await owner.commit(current(after).token, [{ topic, partition: 0, offset: 2 }], 'tx-1');
        await expect(zombie.commit(current(before).token, ends(before.batches), 'later')).rejects.toThrow(
          FencedError,
        );
        await owner.commit(current(after).token, [{ topic, partition: 0, offset: 3 }], 'tx-2');
        await owner.close();

        const last = recordBatches();
        await open().run(last, { untilEnd: true });
        expect(position(last, 0)).toMatchObject({ offset: 3, transaction: 'tx-2' });
        expect(messagesOf(last.batches).map(([, offset]) => offset)).toEqual([3, 4]);
      },
    );

    it('stop ends a run that would wait for more, and a commit is still possible', async () => {
      await fixture.append([values(0, 3)]);
      const source = open();
      const recording = recordBatches(() => source.stop());
      await source.run(recording, { untilEnd: false });
      expect(messagesOf(recording.batches).map(([, offset]) => offset)).toEqual([0, 1, 2]);
      await source.commit(current(recording).token, ends(recording.batches), 'tx');
    });

    it('stop lets the batch under way settle, and hands over no other', async () => {
      await fixture.append([values(0, 5000)]);
      const source = open();
      let settled = false;
      const recording = recordBatches(async () => {
        source.stop();
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
        settled = true;
      });
      await source.run(recording, { untilEnd: true });
      expect([settled, recording.batches.length]).toEqual([true, 1]);
    });
  });
}
