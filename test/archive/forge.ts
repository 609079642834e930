import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { createDirectoryStore } from '../../src/archive/directory-store.ts';
import { deadLetterFiles } from '../../src/archive/dead-letters.ts';
import { checksum, encodeFile } from '../../src/archive/encode.ts';
import { decodeManifest, encodeManifest } from '../../src/archive/manifest.ts';
import { shardPath } from '../../src/archive/shard.ts';
import { encodeSlices } from '../../src/archive/content-slices.ts';
import type { CommittedPosition, Store } from '../../src/ports.ts';
import type { DeadLetter, PreparedFile, SettledRange, Transaction } from '../../src/types.ts';
import { inputOf, rowOf } from './rows.ts';

/** What becomes of one offset. */
export type Outcome = 'dead' | 'skipped' | 'absent' | { readonly customer: number; readonly day: number };

/** Transactions × partitions × offsets. */
export type Story = readonly (readonly (readonly Outcome[])[])[];

/** A row of a planned file. */
export interface PlannedRow {
  readonly partition: number;
  readonly offset: number;
  customer: string;
  day: number;
}

/** A transaction as it will be written; tests bend it before that. */
export interface Plan {
  readonly id: string;
  readonly pipeline: string;
  readonly files: { readonly customer: string; readonly day: number; readonly rows: PlannedRow[] }[];
  readonly dead: { readonly partition: number; readonly offset: number }[];
  readonly ranges: SettledRange[];
}

const CUSTOMERS = ['acme', 'a/b ~', 'x\ud800'];
const HOUR = 3_600_000;

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ customer: fc.nat({ max: 2 }), day: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.constantFrom<Outcome[]>('dead', 'skipped', 'absent') },
);

/** Stories of at least two transactions, each of at least one row in its first partition. */
export const stories: fc.Arbitrary<Story> = fc.nat({ max: 2 }).chain((more) =>
  fc.array(
    fc
      .tuple(
        fc.record({ customer: fc.nat({ max: 2 }), day: fc.nat({ max: 1 }) }),
        fc.array(outcome, { maxLength: 6 }),
        fc.array(fc.array(outcome, { maxLength: 6 }), { minLength: more, maxLength: more }),
      )
      .map(([row, rest, others]) => [[row, ...rest], ...others]),
    { minLength: 2, maxLength: 4 },
  ),
);

/** The transactions of a story, and what is committed after them. */
export function plansOf(story: Story, pipeline = 'p'): { plans: Plan[]; committed: CommittedPosition[] } {
  const next = new Map<number, number>();
  const committed = new Map<number, CommittedPosition>();
  const plans = story.map((partitions, number): Plan => {
    const id = idOf(number);
    const plan: Plan = { id, pipeline, files: [], dead: [], ranges: [] };
    for (const [partition, outcomes] of partitions.entries()) {
      if (outcomes.length === 0) continue;
      const from = next.get(partition) ?? 0;
      const counts = { rows: 0, deadLetters: 0, skipped: 0, absent: 0 };
      for (const [index, one] of outcomes.entries()) {
        const offset = from + index;
        if (typeof one === 'string') {
          counts[one === 'dead' ? 'deadLetters' : one]++;
          if (one === 'dead') plan.dead.push({ partition, offset });
          continue;
        }
        counts.rows++;
        const customer = CUSTOMERS[one.customer]!;
        let file = plan.files.find((each) => each.customer === customer && each.day === one.day);
        if (!file) plan.files.push((file = { customer, day: one.day, rows: [] }));
        file.rows.push({ partition, offset, customer, day: one.day });
      }
      const to = from + outcomes.length;
      next.set(partition, to);
      plan.ranges.push({ topic: 't', partition, from, to, ...counts });
      committed.set(partition, { topic: 't', partition, offset: to, transaction: id });
    }
    return plan;
  });
  return { plans, committed: [...committed.values()] };
}

/** Ids that sort, a minute apart. */
export function idOf(number: number): string {
  return `20260103T0000${String(number).padStart(2, '0')}000Z_${'0'.repeat(12)}`;
}

/** Microseconds of an hour of a day. */
function timeOf(day: number, hour: number): number {
  return (Date.UTC(2026, 0, 1 + day) + hour * HOUR) * 1000;
}

async function contentOf(plan: Plan, file: Plan['files'][number]) {
  const chunks = file.rows.map(({ partition, offset, customer, day }) => {
    const row = rowOf({ customer, createdAt: timeOf(day, offset % 24) });
    return encodeSlices(inputOf({ rows: [row], topic: 't', partition, first: offset })).arena;
  });
  const task = {
    table: 'content',
    rowGroupRows: 2,
    compression: 'zstd',
    transaction: plan.id,
    version: '0',
  } as const;
  return encodeFile({ ...task, chunks, customer: undefined });
}

function deadLetter({ partition, offset }: Plan['dead'][number]): DeadLetter {
  const bytes = new TextEncoder().encode('{');
  const receivedAt = Date.UTC(2026, 0, 2) + offset * HOUR * 7;
  const reason = { stage: 'decode', code: 'not_json', detail: 'test' } as const;
  return {
    topic: 't',
    partition,
    offset,
    ...reason,
    timestamp: null,
    receivedAt,
    bytes,
    key: null,
    headers: null,
  };
}

/** Writes a planned transaction by the store's own steps. `until`: the last step that is done. */
export async function writePlan(
  store: Store,
  plan: Plan,
  until: 'manifest' | 'publish' | 'finish' = 'finish',
): Promise<Transaction> {
  const files: PreparedFile[] = [];
  for (const [index, file] of plan.files.entries()) {
    const { content, ...encoded } = await contentOf(plan, file);
    const day = new Date(timeOf(file.day, 0) / 1000).toISOString().slice(0, 10);
    const key = `${shardPath({ customer: file.customer, day }, ['customer', 'day'])}${plan.id}-${index}.parquet`;
    const { customer } = file;
    files.push(
      await store.prepare({ key, kind: 'content', bytes: content.length, ...encoded, customer }, content),
    );
  }
  for (const { key, content, rows } of deadLetterFiles(plan.dead.map(deadLetter), plan.id)) {
    const bytes = content.length;
    files.push(
      await store.prepare({ key, kind: 'dead_letters', bytes, rows, crc32: checksum(content) }, content),
    );
  }
  const createdAt = `2026-01-03T00:00:${plan.id.slice(13, 15)}.000Z`;
  const transaction: Transaction = {
    version: 1,
    id: plan.id,
    pipeline: plan.pipeline,
    createdAt,
    reason: 'age',
    files: files.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    partitions: plan.ranges,
  };
  await store.writeManifest(transaction);
  if (until !== 'manifest') for (const file of files) await store.publish(file);
  if (until === 'finish') await store.finish(transaction);
  return transaction;
}

/** An archive in a directory, with what tests need to damage it. */
export function archiveAt(root: string) {
  const manifest = (id: string) => join(root, '_sluice', 'manifests', `${id}.json`);
  return {
    root,
    store: createDirectoryStore({ path: root, owner: 'p' }),
    place: (key: string) => join(root, key),
    manifest,
    /** Puts a changed manifest, with a checksum that fits, in place of the one that was written. */
    rewrite(id: string, change: (transaction: Transaction) => Transaction): void {
      const { transaction } = decodeManifest(readFileSync(manifest(id), 'utf8'), id, id);
      writeFileSync(manifest(id), encodeManifest(change(transaction)));
    },
    put: (key: string, content: Uint8Array | string): void => {
      mkdirSync(dirname(join(root, key)), { recursive: true });
      writeFileSync(join(root, key), content);
    },
  };
}
