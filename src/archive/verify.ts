import { CorruptError } from '../errors.ts';
import type { CommittedPosition, Store } from '../ports.ts';
import type { Position, Transaction } from '../types.ts';
import { createAsk } from './ask.ts';
import { mapBounded } from '../concurrency.ts';
import { createCoverage, type Coverage } from './coverage.ts';
import { addsUp, inspectTransaction } from './inspect-transaction.ts';
import { belongsTo } from './ledger.ts';
import { NO_FILES, sameFiles, sumFiles, withFile, type FileSum } from './listing.ts';
import { checkReach } from './reach.ts';
import { checkSuspects, type Suspect } from './suspects.ts';
import { countTransaction, createCount, notesOf, reportOf, type VerifyReport } from './verify-report.ts';
import type { Violation, ViolationKind } from './violation.ts';

/** Manifests that are read at a time. */
const PARALLEL = 8;

/** The committed positions of the source that an archive is made from. */
export interface Commits {
  /** What is committed now; called before and after the ledger is read, so that a running pipeline is no violation. */
  positions(): Promise<readonly CommittedPosition[]>;
  /** Whether positions may be gone although they were committed (a Kafka group that is empty for a week). */
  readonly expire: boolean;
  /** The offset at which every partition begins, where the source has such a one. */
  readonly start?: number;
  /** The offset behind the last message of each partition, where it is known. */
  ends?(): Promise<readonly Position[]>;
}

/** What {@link verifyArchive} checks. */
export interface VerifyOptions {
  readonly store: Store;
  /** Whose commits are held against the archive. Files and ranges of other pipelines in it are checked as well. */
  readonly pipeline: string;
  /** Without them, what is committed is not known: only what the archive says itself is checked. */
  readonly commits?: Commits | undefined;
  /** Only transactions from here on, milliseconds UTC. */
  readonly since?: number | undefined;
  /** Manifests, listing and sizes only: no file is read. */
  readonly quick?: boolean | undefined;
  /** Called with each violation as it is found. */
  readonly onViolation?: ((violation: Violation) => void) | undefined;
  /** Transactions that are done, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Milliseconds before a store that cannot answer for now is asked again, doubled each time (default 500). */
  readonly backoff?: number | undefined;
}

/**
 * Proves an archive from itself: manifests against each other, against the committed positions, against the files that are
 * there, and, unless `quick`, against every row. Safe beside a running pipeline. In memory there are one entry for each
 * transaction, and the files and offsets of one transaction at a time. Throws when something cannot be read at all; what
 * can be read and is wrong is a violation.
 */
export async function verifyArchive(options: VerifyOptions): Promise<VerifyReport> {
  const { commits, pipeline, quick = false } = options;
  const kinds: Partial<Record<ViolationKind, number>> = {};
  const onViolation = (violation: Violation) => {
    kinds[violation.kind] = (kinds[violation.kind] ?? 0) + 1;
    options.onViolation?.(violation);
  };
  const ask = createAsk(options.backoff);
  const { store } = options;
  const isAsked = createSince(options.since);

  // In this order: what was visible was committed before, and is named by a commit or finished from then on.
  const visible = await sumFiles(store);
  const before = commits && (await ask(() => commits.positions()));
  const listed = await ask(() => store.transactions());
  const named = new Set(before?.flatMap(({ transaction }) => transaction || []));
  checkNamed(named, new Set(listed.map(({ id }) => id)), onViolation);

  const coverage = createCoverage();
  const count = createCount();
  count.known = listed.length;
  const onUnpublished = () => void count.unpublished++;
  const suspects = new Map<string, Suspect>();
  const asked = listed.filter(({ id }) => isAsked(id));
  let done = 0;
  for await (const [id, manifest] of readManifests(asked.map((each) => each.id))) {
    const sum = visible.get(id) ?? NO_FILES;
    visible.delete(id);
    options.onProgress?.(done++, asked.length);
    if (!manifest) continue;
    const { transaction, finished, undone } = manifest;
    if (undone || (!finished && !named.has(id))) {
      count.unfinished++;
      if (!commits || !belongsTo(transaction, pipeline)) count.foreign++;
      else if (sum.files > 0) suspects.set(id, { kind: 'file_uncommitted', expected: [], unfinished: true });
      continue;
    }
    countTransaction(count, transaction);
    checkRanges(transaction, coverage, onViolation);
    if (!sameFiles(sum, expectedSum(transaction)))
      suspects.set(id, { kind: 'file_orphan', expected: transaction.files, unfinished: !finished });
    if (quick) continue;
    const read = (key: string) => ask(() => store.read(key));
    await inspectTransaction(transaction, { read, onViolation, ...(finished ? {} : { onUnpublished }) });
  }
  options.onProgress?.(done, asked.length);
  // What is left has a name of no transaction that there is.
  for (const id of visible.keys())
    if (isAsked(id)) suspects.set(id, { kind: 'file_orphan', expected: [], unfinished: false });
  await checkSuspects(suspects, { store, quick, onViolation, onUnpublished, ask });

  const after = commits && (await ask(() => commits.positions()));
  const ends = (commits?.ends && (await ask(() => commits.ends!()))) ?? [];
  const reach = checkReach({
    coverage: coverage.partitions(),
    pipeline,
    commits: commits && { ...commits, before: before!, after: after!, ends },
    isPart: options.since !== undefined,
    damaged: count.damaged,
    onViolation,
  });
  return reportOf(count, {
    archive: store.description,
    pipeline,
    partitions: reach.partitions,
    kinds,
    notes: [...notesOf(count, options), ...reach.notes],
  });

  /** Manifests in order, some at a time; undefined for one that was swept meanwhile, or is damaged. */
  async function* readManifests(ids: readonly string[]) {
    for (let from = 0; from < ids.length; from += PARALLEL) {
      const some = ids.slice(from, from + PARALLEL);
      const manifests = await mapBounded(some, PARALLEL, async (id) => {
        try {
          return { manifest: await ask(() => store.readManifest(id)) };
        } catch (error) {
          if (error instanceof CorruptError) return { damage: error.message };
          throw error;
        }
      });
      for (const [index, { manifest, damage }] of manifests.entries()) {
        const id = some[index]!;
        if (damage !== undefined) {
          count.damaged++;
          onViolation({ kind: 'manifest_damaged', transaction: id, detail: damage });
        }
        yield [id, manifest] as const;
      }
    }
  }
}

function checkNamed(
  named: ReadonlySet<string>,
  known: ReadonlySet<string>,
  onViolation: (violation: Violation) => void,
): void {
  for (const id of named) {
    if (known.has(id)) continue;
    const detail = 'expected its manifest, since a committed position names it, got none';
    onViolation({ kind: 'manifest_missing', transaction: id, detail });
  }
}

function checkRanges(
  transaction: Transaction,
  coverage: Coverage,
  onViolation: (violation: Violation) => void,
): void {
  const { id, pipeline, partitions } = transaction;
  for (const range of partitions) {
    const { topic, partition, from, to, rows, deadLetters, skipped, absent } = range;
    if (!addsUp(range)) {
      const detail = `expected ${to - from} offsets, got ${rows} rows, ${deadLetters} dead letters, ${skipped} skipped and ${absent} absent`;
      onViolation({ kind: 'wrong_count', transaction: id, topic, partition, from, to, detail });
    }
    for (const overlap of coverage.add(pipeline, range)) {
      const detail = 'an earlier transaction settled them as well';
      onViolation({ kind: 'overlap', transaction: id, topic, partition, ...overlap, detail });
    }
  }
}

function expectedSum({ files }: Transaction): FileSum {
  return files.reduce(withFile, NO_FILES);
}

/** Whether a transaction is asked for, by its id, which begins with its time; names of no transaction always are. */
function createSince(since: number | undefined): (id: string) => boolean {
  if (since === undefined) return () => true;
  const first = new Date(since).toISOString().replace(/[-:.]/g, '');
  return (id) => id === '' || id >= first;
}
