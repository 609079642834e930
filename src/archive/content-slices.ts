import type { DecodedBatch, RawBatch, ShardSlice, Tally, VerdictBatch } from '../types.ts';
import type { PartitionKey } from './config.ts';
import { CONTENT } from './content-table.ts';
import { encodeTableSlices } from './table-slices.ts';
import { tallyOf } from './tally.ts';

/** What {@link encodeSlices} takes. */
export interface SliceInput {
  readonly raw: Pick<RawBatch, 'topic' | 'partition' | 'offsets' | 'receivedAt'>;
  readonly decoded: DecodedBatch;
  readonly verdicts: VerdictBatch;
  /** When the verdicts were made, milliseconds UTC. */
  readonly decidedAt: number;
  readonly partitionBy: readonly PartitionKey[];
}

/** What {@link encodeSlices} gives: `arena` is to be transferred; `shards` lie in it one after the other. */
export interface EncodedSlices {
  readonly arena: Uint8Array<ArrayBuffer>;
  readonly shards: ShardSlice[];
  /** Rows in all slices: those of the batch less the poisoned ones. */
  readonly rows: number;
  readonly tally: Tally;
}

/**
 * Columns of one batch of content as slices. Poisoned rows are left out. Runs in the worker that classified the batch.
 */
export function encodeSlices(input: SliceInput): EncodedSlices {
  const { raw, decoded, verdicts, decidedAt, partitionBy } = input;
  let text = 0;
  for (const value of decoded.text) text += value.length;
  const { arena, shards, order } = encodeTableSlices({
    table: CONTENT,
    raw,
    decoded,
    values: {
      user_id: decoded.userId,
      content: decoded.text,
      content_type: decoded.contentType,
      language: verdicts.language,
      action: verdicts.actions,
      reasons: verdicts.reasons,
      shadow_actions: verdicts.shadow?.actions ?? null,
      shadow_scores: verdicts.shadow?.scores ?? null,
    },
    constants: { decided_at: decidedAt },
    ofSlice: (members) => ({
      model: verdicts.models ? verdicts.models[members[0]!]! : verdicts.model,
      policy: policyOf(members, verdicts),
    }),
    kinds: verdicts.models && kindsOf(verdicts.models),
    labels: verdicts.labels,
    scores: verdicts.scores,
    partitionBy,
    without: new Set(verdicts.poison.map(({ row }) => row)),
    rowBytes: text / Math.max(1, decoded.rows) + 96 + verdicts.labels.length * 4,
  });
  return { arena, shards, rows: order.length, tally: tallyOf(decoded, verdicts, order) };
}

/** Numbers the models of each row: a slice has the same ones. */
function kindsOf(models: readonly (string | null)[]): Uint16Array {
  const numbers = new Map<string | null, number>();
  return Uint16Array.from(models, (model) => {
    let number = numbers.get(model);
    if (number === undefined) numbers.set(model, (number = numbers.size));
    return number;
  });
}

/** The policy of a slice: a customer has one at a time. */
function policyOf(members: Int32Array, { policies, policy }: VerdictBatch): string | null {
  if (policies === undefined) return policy;
  const first = policies[members[0]!]!;
  const other = members.find((row) => policies[row] !== first);
  if (other !== undefined) {
    throw new Error(`expected one policy for a customer in a batch, got ${first} and ${policies[other]}`);
  }
  return first;
}
