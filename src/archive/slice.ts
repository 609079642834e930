import type { DecodedBatch, RawBatch, ShardSlice, Tally, VerdictBatch } from '../types.ts';
import { Arena } from './arena.ts';
import type { PartitionKey } from './config.ts';
import { dayOf, hourOf } from './shard.ts';
import { tallyOf } from './tally.ts';

/**
 * A slice is the rows of one customer and one day of one batch:
 *
 *     int32 × 5   magic, bytes in all (a multiple of 8), rows, bytes of the constants, n = STREAM.count + labels
 *     int32 × n   bytes of each stream
 *     constants   JSON: what all rows share ({@link SliceConstants})
 *     streams     each starts at a multiple of 8
 *
 * A stream is the values of one column, in row order, with nothing that depends on its neighbours: text is a stream of
 * byte lengths (-1: null) and a stream of bytes. So rows of many slices are joined by joining their streams, and Arrow's
 * offsets and validity are made once per file. A nullable column without any value has empty streams.
 */
export const MAGIC = 0x31434c53;
/** Bytes of the header before the streams' sizes. */
export const HEADER_BYTES = 20;

/** The streams before those of the scores (float32 each, one per label, NaN: none), by their index. */
export const STREAM = {
  /** float64 */
  offset: 0,
  /** float64, µs */
  createdAt: 1,
  /** uint8, index into ACTIONS */
  action: 2,
  /** int32 lengths, then bytes, as for all text */
  contentId: 3,
  userId: 5,
  content: 7,
  contentType: 9,
  language: 11,
  /** int32 counts (-1: null), int32 lengths of the labels, bytes */
  reasons: 13,
  /** int32 counts of entries (-1: null), int32 lengths of keys, bytes of keys, lengths of values, bytes of values */
  metadata: 16,
  /** number of streams before the scores */
  count: 21,
} as const;

/** What all rows of a slice share. */
export interface SliceConstants {
  readonly topic: string;
  readonly partition: number;
  /** Milliseconds UTC. */
  readonly receivedAt: number;
  /** Milliseconds UTC. */
  readonly decidedAt: number;
  readonly model: string | null;
  readonly policy: string | null;
  readonly labels: readonly string[];
  readonly customer: string;
}

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

interface Group {
  readonly customer: string;
  readonly day: string;
  rows: number;
  start: number;
}

/**
 * Columns of one batch, grouped by customer and day in order of first appearance; rows keep their order within a group.
 * Poisoned rows are left out. Runs in the worker that classified the batch.
 */
export function encodeSlices(input: SliceInput): EncodedSlices {
  const { raw, decoded, verdicts, decidedAt, partitionBy } = input;
  const { groups, order, rows } = groupRows(decoded, verdicts, partitionBy);
  const shared = JSON.stringify({
    topic: raw.topic,
    partition: raw.partition,
    receivedAt: raw.receivedAt,
    decidedAt,
    model: verdicts.model,
    labels: verdicts.labels,
  }).slice(0, -1);
  let text = 0;
  for (const value of decoded.text) text += value.length;
  const arena = new Arena(text + rows * (96 + verdicts.labels.length * 4) + groups.length * 512);
  const shards: ShardSlice[] = [];
  for (const group of groups) {
    const start = arena.position;
    const members = order.subarray(group.start, group.start + group.rows);
    const own = JSON.stringify({ policy: policyOf(members, verdicts), customer: group.customer }).slice(1);
    writeSlice(arena, members, `${shared},${own}`, input);
    shards.push({ customer: group.customer, day: group.day, rows: group.rows, start, end: arena.position });
  }
  return {
    arena: new Uint8Array(arena.bytes.buffer, 0, arena.position),
    shards,
    rows,
    tally: tallyOf(decoded, verdicts, order),
  };
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

/** Groups by a counting sort: one pass finds each row's group, the second places it. */
function groupRows(decoded: DecodedBatch, verdicts: VerdictBatch, partitionBy: readonly PartitionKey[]) {
  const byDay = partitionBy.includes('day');
  const hours = partitionBy.includes('hour') ? 1 : 24;
  const poisoned = new Set(verdicts.poison.map(({ row }) => row));
  const groups: Group[] = [];
  const byCustomer = new Map<string, { period: number; group: number; others?: Map<number, number> }>();
  const groupOf = new Int32Array(decoded.rows).fill(-1);
  let rows = 0;
  for (let row = 0; row < decoded.rows; row++) {
    if (poisoned.size > 0 && poisoned.has(row)) continue;
    const customer = decoded.customer[row]!;
    const hour = byDay ? hourOf(decoded.createdAt[row]!) : 0;
    const period = Math.floor(hour / hours);
    let known = byCustomer.get(customer);
    let group = known?.period === period ? known.group : known?.others?.get(period);
    if (group === undefined) {
      group = groups.push({ customer, day: dayOf(hour, partitionBy), rows: 0, start: 0 }) - 1;
      if (known) (known.others ??= new Map()).set(period, group);
      else byCustomer.set(customer, (known = { period, group }));
    }
    groupOf[row] = group;
    groups[group]!.rows++;
    rows++;
  }
  let start = 0;
  for (const group of groups) {
    group.start = start;
    start += group.rows;
  }
  const next = Int32Array.from(groups, (group) => group.start);
  const order = new Int32Array(rows);
  for (let row = 0; row < decoded.rows; row++) {
    const group = groupOf[row]!;
    if (group >= 0) order[next[group]!++] = row;
  }
  return { groups, order, rows };
}

function writeSlice(arena: Arena, members: Int32Array, constants: string, input: SliceInput): void {
  const { raw, decoded, verdicts } = input;
  const rows = members.length;
  const labels = verdicts.labels.length;
  const start = arena.position;
  const sizes = (start + HEADER_BYTES) >> 2;
  arena.ensure(HEADER_BYTES + (STREAM.count + labels) * 4);
  arena.position += HEADER_BYTES + (STREAM.count + labels) * 4;
  const constantBytes = arena.text(constants);
  let stream = 0;
  let begun = 0;
  const begin = (bytes: number) => {
    arena.align();
    arena.ensure(bytes);
    begun = arena.position;
  };
  const end = () => {
    arena.int32[sizes + stream++] = arena.position - begun;
  };

  begin(rows * 8);
  for (let i = 0, at = begun >> 3; i < rows; i++)
    arena.float64[at++] = raw.offsets[decoded.index[members[i]!]!]!;
  arena.position += rows * 8;
  end();
  begin(rows * 8);
  for (let i = 0, at = begun >> 3; i < rows; i++) arena.float64[at++] = decoded.createdAt[members[i]!]!;
  arena.position += rows * 8;
  end();
  begin(rows);
  for (let i = 0; i < rows; i++) arena.bytes[arena.position++] = verdicts.actions[members[i]!]!;
  end();

  const text = (values: readonly (string | null)[]) => {
    begin(rows * 4);
    const lengths = begun >> 2;
    const dataAt = (begun + rows * 4 + 7) & ~7;
    arena.ensure(rows * 4 + 8);
    arena.position = dataAt;
    let some = false;
    for (let i = 0; i < rows; i++) {
      const value = values[members[i]!]!;
      if (value !== null) some = true;
      const bytes = value === null ? -1 : arena.text(value);
      arena.int32[lengths + i] = bytes;
    }
    if (!some) arena.position = begun;
    arena.int32[sizes + stream++] = some ? rows * 4 : 0;
    arena.int32[sizes + stream++] = some ? arena.position - dataAt : 0;
  };
  text(decoded.contentId);
  text(decoded.userId);
  text(decoded.text);
  text(decoded.contentType);
  text(verdicts.language);

  /** Counts of each row's list, then lengths and bytes of every `step`-th item, for each part of an item. */
  const lists = (values: readonly (readonly string[] | null)[], parts: number) => {
    begin(rows * 4);
    let items = 0;
    let some = false;
    for (let i = 0, at = begun >> 2; i < rows; i++) {
      const value = values[members[i]!]!;
      if (value !== null) some = true;
      const count = value === null ? -1 : value.length / parts;
      arena.int32[at++] = count;
      if (count > 0) items += count;
    }
    if (some) arena.position += rows * 4;
    end();
    for (let part = 0; part < parts; part++) {
      begin(items * 4);
      const lengths = begun >> 2;
      arena.position += items * 4;
      end();
      begin(0);
      for (let i = 0, item = 0; item < items; i++) {
        const value = values[members[i]!]!;
        if (value === null) continue;
        for (let j = part; j < value.length; j += parts) {
          const bytes = arena.text(value[j]!);
          arena.int32[lengths + item++] = bytes;
        }
      }
      end();
    }
  };
  lists(verdicts.reasons, 1);
  lists(decoded.metadata, 2);

  for (let label = 0; label < labels; label++) {
    begin(rows * 4);
    for (let i = 0, at = begun >> 2; i < rows; i++) {
      arena.float32[at++] = Math.round(verdicts.scores[members[i]! * labels + label]! * 1e4) / 1e4;
    }
    arena.position += rows * 4;
    end();
  }
  arena.align();
  const header = start >> 2;
  arena.int32[header] = MAGIC;
  arena.int32[header + 1] = arena.position - start;
  arena.int32[header + 2] = rows;
  arena.int32[header + 3] = constantBytes;
  arena.int32[header + 4] = stream;
}
