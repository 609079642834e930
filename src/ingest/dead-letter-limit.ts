import { TooManyDeadLettersError } from '../errors.ts';
import type { ScoredBatch } from '../types.ts';

/** What the limit looks at. */
export type Settled = Pick<ScoredBatch, 'topic' | 'partition' | 'rows' | 'first' | 'next' | 'deadLetters'>;

/**
 * Makes the check that stops a lane in which everything is wrong: call it with each batch in the partition's order,
 * before its dead letters are written. Throws TooManyDeadLettersError when `maxConsecutive` messages of one partition are
 * dead letters without a good one between them. In a batch that has good ones as well, those with neighbouring offsets
 * count as being in a row.
 */
export function createDeadLetterLimit(maxConsecutive: number): (batch: Settled) => void {
  const runs = new Map<string, number>();
  return ({ topic, partition, rows, first, next, deadLetters }) => {
    const lane = `${topic}-${partition}`;
    let run = runs.get(lane) ?? 0;
    let expected = first;
    for (const { offset, code, detail } of deadLetters.toSorted((a, b) => a.offset - b.offset)) {
      run = rows === 0 || offset === expected ? run + 1 : 1;
      expected = offset + 1;
      if (run < maxConsecutive) continue;
      throw new TooManyDeadLettersError(
        `${lane}: expected fewer than ${maxConsecutive} dead letters in a row, got ${run} up to offset ${offset}; ` +
          `the last one: ${code}: ${detail}`,
      );
    }
    runs.set(lane, rows === 0 || expected === next ? run : 0);
  };
}
