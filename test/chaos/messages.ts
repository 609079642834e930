import { Random, cumulate } from '../../benchmarks/content/random.ts';

/** What must become of a message: a row, a dead letter, nothing but a count (a tombstone), or nothing (its transaction is aborted). */
export type Fate = 'row' | 'dead_letter' | 'tombstone' | 'aborted';

/** One message of a run. The same seed, index and options give the same message, always. */
export interface ChaosMessage {
  /** `m` and the index; rows have it as their content id, dead letters have it in their bytes. */
  readonly id: string;
  readonly index: number;
  readonly partition: number;
  readonly customer: string;
  readonly text: string;
  readonly fate: Fate;
  /** Whether it is written in a Kafka transaction. */
  readonly transactional: boolean;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a run's messages are made from. */
export interface MessageOptions {
  readonly seed: number;
  /** Customers, Zipf-like. */
  readonly customers: number;
  /** At least 4: the last one gets nothing, the one before it only the messages from `lateFrom` on. */
  readonly partitions: number;
  /** Index of the first message of the late partition. */
  readonly lateFrom: number;
}

/** Messages that are written together and share a partition and a transaction, if any. */
export const RUN_LENGTH = 20;

const HOUR = 3_600_000;
/** Event times: the same day for most, the two days around it for some. */
const START = Date.UTC(2026, 9, 14, 12);

/** Ways to be broken; each keeps the id readable in the bytes, so that a dead letter can be recognised. */
const BROKEN: readonly ((id: string, customer: string) => Buffer)[] = [
  (id) => Buffer.from(`{"id":"${id}","customer":"cut of`),
  (id) => Buffer.from(`{"id":"${id}","text":"nobody's"}`),
  (id, customer) => Buffer.from(JSON.stringify({ id, customer })),
  (id, customer) => Buffer.from(JSON.stringify([id, customer])),
  (id, customer) =>
    Buffer.from(JSON.stringify({ id, customer, text: 'no such day', created_at: '2026-13-45' })),
  (id, customer) =>
    Buffer.concat([
      Buffer.from(`{"id":"${id}","customer":"${customer}","text":"`),
      Buffer.from([0xe9, 0x22, 0x7d]),
    ]),
];

/** Makes the messages of a run by index. */
export function createMessages(options: MessageOptions): (index: number) => ChaosMessage {
  const { seed, customers, partitions, lateFrom } = options;
  if (partitions < 4) throw new RangeError(`expected at least 4 partitions, got ${partitions}`);
  const weights = cumulate(Array.from({ length: customers }, (_, rank) => 1 / (rank + 1)));
  const busy = partitions - 2;
  return (index) => {
    const run = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.floor(index / RUN_LENGTH));
    // Skewed: a third of the runs go to partition 0.
    let partition = run.chance(0.3) ? 0 : run.integer(busy);
    if (index >= lateFrom && run.chance(0.4)) partition = busy;
    const transactional = run.chance(0.06);
    const aborted = transactional && run.chance(0.5);
    const own = new Random(Math.imul(seed, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35));
    const id = `m${index}`;
    const customer = `customer-${String(own.weighted(weights)).padStart(2, '0')}`;
    const text = `${id}: ${'words and words and '.repeat(own.integer(12))}äöü 안녕 ${own.integer(1e9)}`;
    const point = own.next();
    const fate: Fate = aborted
      ? 'aborted'
      : point < 0.01
        ? 'dead_letter'
        : point < 0.014
          ? 'tombstone'
          : 'row';
    const byHeader = own.chance(0.1);
    const created =
      START + own.integer(6) * HOUR + (own.chance(0.03) ? (own.chance(0.5) ? 24 : -24) * HOUR : 0);
    const shared = { id, index, partition, customer, text, fate, transactional };
    const headers = { trace: `t-${index}`, ...(byHeader ? { customer } : {}) };
    if (fate === 'tombstone') return { ...shared, headers, key: Buffer.from(id), value: null };
    const value =
      fate === 'dead_letter'
        ? own.pick(BROKEN)(id, customer)
        : Buffer.from(
            JSON.stringify({
              id,
              ...(byHeader ? {} : { customer }),
              text,
              created_at: new Date(created).toISOString(),
              thread: own.integer(1000),
            }),
          );
    // The header would complete a message that lacks its customer.
    const kept = fate === 'dead_letter' ? { trace: headers.trace } : headers;
    return { ...shared, headers: kept, key: own.chance(0.5) ? Buffer.from(customer) : null, value };
  };
}
