import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { verifyArchive, type VerifyOptions } from '../../src/archive/verify.ts';
import type { VerifyReport } from '../../src/archive/verify-report.ts';
import type { Violation } from '../../src/archive/violation.ts';
import { RetryableError } from '../../src/errors.ts';
import type { CommittedPosition } from '../../src/ports.ts';
import type { Transaction } from '../../src/types.ts';
import { archiveAt, idOf, plansOf, stories, writePlan, type Plan, type Story } from './forge.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-verify-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const RUNS = { numRuns: 8 };

type Archive = ReturnType<typeof archiveAt>;
type Forged = Archive & {
  readonly plans: Plan[];
  readonly transactions: Transaction[];
  committed: CommittedPosition[];
};

/** Writes a story, bent by `bend` before it is written. */
async function forge(story: Story, bend: (plans: Plan[]) => void = () => undefined): Promise<Forged> {
  const archive = archiveAt(mkdtempSync(join(scratch, 'out-')));
  const { plans, committed } = plansOf(story);
  bend(plans);
  const transactions: Transaction[] = [];
  for (const plan of plans) transactions.push(await writePlan(archive.store, plan));
  return { ...archive, plans, transactions, committed };
}

async function verified(
  { store, committed }: Pick<Forged, 'store' | 'committed'>,
  more: Partial<VerifyOptions> = {},
): Promise<{ report: VerifyReport; violations: Violation[]; kinds: string[] }> {
  const violations: Violation[] = [];
  const commits = { positions: () => Promise.resolve(committed), expire: false, start: 0 };
  const report = await verifyArchive({
    store,
    pipeline: 'p',
    commits,
    onViolation: (violation) => violations.push(violation),
    ...more,
  });
  expect(report.violations).toBe(violations.length);
  return { report, violations, kinds: [...new Set(violations.map(({ kind }) => kind))].toSorted() };
}

/** Runs a property over stories and a number that picks what is damaged. */
function forAll(property: (story: Story, pick: <Item>(items: readonly Item[]) => Item) => Promise<void>) {
  return fc.assert(
    fc.asyncProperty(stories, fc.nat(), (story, number) =>
      property(story, (items) => {
        fc.pre(items.length > 0);
        return items[number % items.length]!;
      }),
    ),
    RUNS,
  );
}

const byPartition = ([a]: (number | undefined)[], [b]: (number | undefined)[]) => a! - b!;
const contentFiles = ({ transactions }: Forged) =>
  transactions.flatMap((transaction) => transaction.files.map((file) => ({ transaction, file })));

/** A story of two partitions in which every kind of outcome is. */
const row = { customer: 0, day: 0 };
const STORY: Story = [
  [
    [row, { customer: 1, day: 0 }, 'dead', row, 'skipped'],
    [row, 'absent'],
  ],
  [
    [row, row, { customer: 0, day: 1 }],
    ['dead', row],
  ],
  [[row, 'absent'], [row]],
];

describe('verify', () => {
  it('finds nothing in what the archive writes, and counts it', () =>
    forAll(async (story) => {
      const forged = await forge(story);
      const { report, violations } = await verified(forged);
      expect(violations).toEqual([]);
      const outcomes = story.flat(2);
      const count = (kind: string) => outcomes.filter((one) => one === kind).length;
      expect(report).toMatchObject({
        holds: true,
        transactions: story.length,
        unfinished: 0,
        rows: outcomes.length - count('dead') - count('skipped') - count('absent'),
        dead_letters: count('dead'),
        skipped: count('skipped'),
        absent: count('absent'),
        files: contentFiles(forged).length,
        notes: [],
      });
      expect(report.partitions.map(({ from, to, committed }) => [from, to, committed])).toEqual(
        forged.committed
          .toSorted((a, b) => a.partition - b.partition)
          .map(({ offset }) => [0, offset, offset]),
      );
      expect((await verified(forged, { quick: true })).report.holds).toBe(true);
    }));

  const bends: readonly [
    string,
    string[],
    (plans: Plan[], pick: <Item>(items: readonly Item[]) => Item) => void,
  ][] = [
    [
      'a row that was dropped',
      ['row_missing'],
      (plans, pick) =>
        void pick(plans.flatMap(({ files }) => files).filter(({ rows }) => rows.length > 1)).rows.pop(),
    ],
    [
      'a row that is there twice',
      ['row_twice'],
      (plans, pick) => {
        const { rows } = pick(plans.flatMap(({ files }) => files));
        rows.push({ ...pick(rows) });
      },
    ],
    [
      'a row of another customer',
      ['wrong_customer'],
      (plans, pick) =>
        (pick(plans.flatMap(({ files }) => files.flatMap(({ rows }) => rows))).customer = 'stranger'),
    ],
    [
      'a row of another day',
      ['wrong_day'],
      (plans, pick) => (pick(plans.flatMap(({ files }) => files.flatMap(({ rows }) => rows))).day = 5),
    ],
    [
      'a row of an offset that its transaction does not settle',
      ['row_outside'],
      (plans, pick) => {
        const plan = pick(plans);
        const { rows } = pick(plan.files);
        const { partition } = rows[0]!;
        const { to } = plan.ranges.find((range) => range.partition === partition)!;
        rows.push({ ...rows[0]!, offset: to });
      },
    ],
    [
      'an offset that is a row and a dead letter',
      ['row_twice'],
      (plans, pick) => {
        const plan = pick(plans);
        plan.dead.push(pick(pick(plan.files).rows));
      },
    ],
    [
      'a transaction that settles again what another one has settled',
      ['overlap'],
      (plans, pick) => plans.push({ ...pick(plans), id: idOf(59) }),
    ],
  ];
  it.each(bends)('names %s, and nothing else', (_what, expected, bend) =>
    forAll(async (story, pick) => {
      const { kinds } = await verified(await forge(story, (plans) => bend(plans, pick)));
      expect(kinds).toEqual(expected);
    }),
  );

  const damages: readonly [
    string,
    string[],
    string[],
    (forged: Forged, pick: <Item>(items: readonly Item[]) => Item) => void,
  ][] = [
    [
      'a file that was cut',
      ['file_size'],
      ['file_size'],
      (forged, pick) => {
        const { file } = pick(contentFiles(forged));
        truncateSync(forged.place(file.key), file.bytes - 1);
      },
    ],
    [
      'a flipped bit',
      ['file_checksum'],
      [],
      (forged, pick) => {
        const path = forged.place(pick(contentFiles(forged)).file.key);
        const content = readFileSync(path);
        const at = pick([...content.keys()]);
        content[at]! ^= 4;
        writeFileSync(path, content);
      },
    ],
    [
      'a file that is gone',
      ['file_missing'],
      ['file_missing'],
      (forged, pick) => rmSync(forged.place(pick(contentFiles(forged)).file.key)),
    ],
    [
      'a copy of a file beside it',
      ['file_orphan'],
      ['file_orphan'],
      (forged, pick) => {
        const { key } = pick(contentFiles(forged).filter(({ file }) => file.kind === 'content')).file;
        forged.put(key.replace(/-\d+\.parquet$/, '-99.parquet'), readFileSync(forged.place(key)));
      },
    ],
    [
      'a file of a transaction that nobody knows',
      ['file_orphan'],
      ['file_orphan'],
      ({ put }) => put(`customer=acme/dt=2026-01-01/${idOf(58)}-0.parquet`, 'PAR1'),
    ],
    [
      'a file of some other name',
      ['file_orphan'],
      ['file_orphan'],
      ({ put }) => put('customer=acme/notes.txt', 'x'),
    ],
    [
      'a damaged manifest',
      ['manifest_damaged'],
      ['manifest_damaged'],
      (forged, pick) => {
        const path = forged.manifest(pick(forged.plans).id);
        writeFileSync(path, readFileSync(path, 'utf8').replace('"age"', '"end"'));
      },
    ],
    [
      'numbers of a range that do not add up',
      ['wrong_count'],
      ['wrong_count'],
      (forged, pick) =>
        forged.rewrite(pick(forged.plans).id, (transaction) => ({
          ...transaction,
          partitions: transaction.partitions.map((range, at) =>
            at === 0 ? { ...range, rows: range.rows + 1 } : range,
          ),
        })),
    ],
    [
      'a number of rows that is not that of the file',
      ['wrong_count'],
      [],
      (forged, pick) =>
        forged.rewrite(pick(forged.plans).id, (transaction) => ({
          ...transaction,
          files: transaction.files.map((file, at) => (at === 0 ? { ...file, rows: file.rows + 1 } : file)),
        })),
    ],
    [
      'a position that was moved back',
      ['ahead_of_commit'],
      ['ahead_of_commit'],
      (forged, pick) => {
        const moved = pick(forged.committed);
        forged.committed = forged.committed.map((one) =>
          one === moved ? { ...one, offset: one.offset - 1 } : one,
        );
      },
    ],
    [
      'a position that was moved forward',
      ['gap'],
      ['gap'],
      (forged, pick) => {
        const moved = pick(forged.committed);
        forged.committed = forged.committed.map((one) =>
          one === moved ? { ...one, offset: one.offset + 1 } : one,
        );
      },
    ],
  ];
  it.each(damages)('names %s, and nothing else', (_what, expected, expectedQuick, damage) =>
    forAll(async (story, pick) => {
      const forged = await forge(story);
      damage(forged, pick);
      expect((await verified(forged)).kinds).toEqual(expected);
      expect((await verified(forged, { quick: true })).kinds).toEqual(expectedQuick);
    }),
  );

  it('names the offsets of a transaction that is gone with its files', () =>
    forAll(async (story, pick) => {
      const forged = await forge(story);
      const lost = pick(forged.transactions);
      rmSync(forged.manifest(lost.id));
      for (const { key } of lost.files) rmSync(forged.place(key));
      const { kinds, violations } = await verified(forged);
      const isNamed = forged.committed.some(({ transaction }) => transaction === lost.id);
      expect(kinds).toEqual(isNamed ? ['gap', 'manifest_missing'] : ['gap']);
      const gaps = violations.filter(({ kind }) => kind === 'gap');
      expect(gaps.map(({ partition, from, to }) => [partition, from, to]).toSorted(byPartition)).toEqual(
        lost.partitions.map(({ partition, from, to }) => [partition, from, to]).toSorted(byPartition),
      );
    }));

  it('says where: the transaction, the file, the partition, the offsets', async () => {
    const forged = await forge(STORY, (plans) => {
      plans[1]!.files[0]!.rows.splice(1, 1);
    });
    const { violations } = await verified(forged);
    expect(violations).toEqual([
      {
        kind: 'row_missing',
        transaction: idOf(1),
        topic: 't',
        partition: 0,
        from: 5,
        to: 8,
        detail: 'expected 3 rows and 0 dead letters, got 2 and 0',
      },
    ]);
  });

  it('leaves out what was not committed, and says so when it is visible', async () => {
    const forged = await forge(STORY.slice(0, 2));
    const open = plansOf(STORY).plans[2]!;
    await writePlan(forged.store, open, 'manifest');
    expect((await verified(forged)).report).toMatchObject({ holds: true, transactions: 2, unfinished: 1 });
    const published = await forge(STORY.slice(0, 2));
    await writePlan(published.store, open, 'publish');
    for (const quick of [true, false]) {
      const { kinds, report } = await verified(published, { quick });
      expect(kinds).toEqual(['file_uncommitted']);
      expect(report.transactions).toBe(2);
    }
  });

  it('counts a committed transaction that is not finished, whether its files are published or not yet', async () => {
    const { plans, committed } = plansOf(STORY);
    for (const until of ['manifest', 'publish'] as const) {
      const forged = await forge(STORY.slice(0, 2));
      forged.committed = committed;
      const { files } = await writePlan(forged.store, plans[2]!, until);
      for (const quick of [true, false]) {
        const { report } = await verified(forged, { quick });
        expect(report).toMatchObject({ holds: true, transactions: 3, unfinished: 0 });
        expect(report.notes.some((note) => note.startsWith(`${files.length} files are committed`))).toBe(
          until === 'manifest',
        );
      }
    }
  });

  it('allows a pipeline to go on meanwhile', async () => {
    const forged = await forge(STORY.slice(0, 1));
    const { plans, committed } = plansOf(STORY);
    let asked = 0;
    const positions = async () => {
      const now = [forged.committed, committed][asked++]!;
      // The moment after the first question: two more transactions happen.
      if (asked === 1) for (const plan of plans.slice(1)) await writePlan(forged.store, plan);
      return now;
    };
    const { report, violations } = await verified(forged, { commits: { positions, expire: false } });
    expect(violations).toEqual([]);
    expect(report.transactions).toBe(3);
  });

  it('without commits, and where they have expired, says what was not checked', async () => {
    const forged = await forge(STORY);
    const alone = await verified(forged, { commits: undefined });
    expect(alone.report).toMatchObject({ holds: true, notes: ['committed positions were not checked'] });
    const commits = { positions: () => Promise.resolve([]), expire: true };
    const expired = await verified(forged, { commits });
    expect(expired.violations).toEqual([]);
    expect(expired.report.notes).toEqual([
      expect.stringMatching(/^no position of 2 partitions is committed/),
    ]);
    const gone = await verified(forged, { commits: { ...commits, expire: false } });
    expect(gone.kinds).toEqual(['ahead_of_commit']);
  });

  it('since a time, neither opens nor misses what was before it', async () => {
    const forged = await forge(STORY);
    rmSync(forged.place(forged.transactions[0]!.files[0]!.key));
    const since = Date.parse('2026-01-03T00:00:01Z');
    expect((await verified(forged)).kinds).toEqual(['file_missing']);
    const { report, violations } = await verified(forged, { since });
    expect(violations).toEqual([]);
    expect(report).toMatchObject({ transactions: 2, rows: 6 });
    rmSync(forged.manifest(idOf(2)));
    expect((await verified(forged, { since })).kinds).toEqual(['file_orphan', 'gap', 'manifest_missing']);
  });

  it('of an archive without transactions proves nothing; without any since a time, it says so', async () => {
    const nothing = { ...archiveAt(mkdtempSync(join(scratch, 'out-'))), committed: [] };
    const commits = { positions: () => Promise.resolve([]), expire: true };
    for (const more of [{}, { since: 0 }, { commits }, { commits: undefined }])
      expect((await verified(nothing, more)).report).toMatchObject({ holds: null, violations: 0 });
    nothing.put('customer=acme/dt=2026-01-01/stray.parquet', 'PAR1');
    expect((await verified(nothing)).report).toMatchObject({ holds: false });

    const { report } = await verified(await forge(STORY), { since: Date.parse('2027-01-01') });
    expect(report).toMatchObject({ holds: true, transactions: 0 });
    expect(report.notes).toContain(
      'transactions before 2027-01-01T00:00:00.000Z were not checked, and there are none since',
    );
  });

  it('holds pipelines that share an archive apart', async () => {
    const forged = await forge(STORY);
    const other = plansOf(STORY, 'other').plans.map((plan, index) => ({ ...plan, id: idOf(40 + index) }));
    for (const plan of other) await writePlan(forged.store, plan);
    const { violations, report } = await verified(forged);
    expect(violations).toEqual([]);
    expect(report.partitions.map(({ pipeline }) => pipeline)).toEqual(['other', 'other', 'p', 'p']);
  });

  it('asks again while the store cannot answer, and throws when it never does', async () => {
    const forged = await forge(STORY);
    let failures = 3;
    const flaky = (key: string) => {
      if (failures-- > 0) throw new RetryableError('503');
      return forged.store.read(key);
    };
    const store = { ...forged.store, read: flaky };
    expect((await verified({ ...forged, store }, { backoff: 1 })).report.holds).toBe(true);
    failures = Infinity;
    await expect(verified({ ...forged, store }, { backoff: 1 })).rejects.toThrow(RetryableError);
  });
});
