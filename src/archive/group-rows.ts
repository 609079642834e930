import type { PartitionKey } from './config.ts';
import { dayOf, hourOf } from './shard.ts';

/** The rows of one customer and one day in a batch. */
export interface RowGroup {
  readonly customer: string;
  /** As a ShardSlice has it. */
  readonly day: string;
  rows: number;
  /** Its rows are `order[start .. start + rows)`. */
  start: number;
}

/** What decides in which group a row belongs: entry i of each array is row i. */
export interface GroupInput {
  readonly rows: number;
  readonly customer: readonly string[];
  /** µs UTC */
  readonly createdAt: Float64Array;
  readonly partitionBy: readonly PartitionKey[];
  /** What rows of a group must have in common beside: any small whole numbers from 0; absent: nothing. */
  readonly kinds?: Uint16Array | undefined;
  /** Rows that belong to none. */
  readonly without: ReadonlySet<number>;
}

/** More than there are kinds. */
const KINDS = 65_536;

/**
 * Groups rows by customer, day and kind, in order of first appearance; rows keep their order within a group. A counting sort: one
 * pass finds each row's group, the second places it.
 */
export function groupRows(input: GroupInput): { readonly groups: RowGroup[]; readonly order: Int32Array } {
  const { customer: customers, createdAt, partitionBy, kinds, without } = input;
  const byDay = partitionBy.includes('day');
  const hours = partitionBy.includes('hour') ? 1 : 24;
  const groups: RowGroup[] = [];
  const byCustomer = new Map<string, { period: number; group: number; others?: Map<number, number> }>();
  const groupOf = new Int32Array(input.rows).fill(-1);
  let rows = 0;
  for (let row = 0; row < input.rows; row++) {
    if (without.size > 0 && without.has(row)) continue;
    const customer = customers[row]!;
    const hour = byDay ? hourOf(createdAt[row]!) : 0;
    const days = Math.floor(hour / hours);
    const period = kinds ? days * KINDS + kinds[row]! : days;
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
  for (let row = 0; row < input.rows; row++) {
    const group = groupOf[row]!;
    if (group >= 0) order[next[group]!++] = row;
  }
  return { groups, order };
}
