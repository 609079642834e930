import { Presets, SingleBar } from 'cli-progress';
import { openStore } from './adapters.ts';
import {
  verifyArchive,
  violationLine,
  type Commits,
  type VerifyReport,
  type Violation,
} from './archive/index.ts';
import { openCommits } from './commits.ts';
import { loadConfig } from './config.ts';
import { OperationalError, RetryableError } from './errors.ts';
import { parseTime } from './replay-range.ts';
import { replayConfig } from './replay-config.ts';
import { formatBytes } from './units.ts';

/** What `sluice verify` takes. */
export interface VerifyCommandOptions {
  /** Manifests, listing and sizes only. */
  readonly quick?: boolean;
  /** Only transactions from this date or time (ISO 8601) on. */
  readonly since?: string;
  /** Commits are not looked at, so no source is needed. */
  readonly archiveOnly?: boolean;
  /** Label of a replay, whose archive is verified instead. */
  readonly replay?: string;
  /** The report as JSON. */
  readonly json?: boolean;
  /** Most violations that are printed one by one; all are counted. */
  readonly limit?: number;
}

/** Exit codes of `sluice verify`: everything holds, something does not, it could not be checked or there is nothing to check. */
export const VERIFY_EXIT = { holds: 0, violated: 1, failed: 2 } as const;

/** Proves the archive of a configuration and prints what was found; returns the exit code. Throws when it cannot be checked. */
export async function verify(file: string, options: VerifyCommandOptions): Promise<number> {
  const loaded = loadConfig(file);
  const config = options.replay === undefined ? loaded : replayConfig(loaded, options.replay);
  const since = options.since === undefined ? undefined : parseTime('--since', options.since);
  const { limit = 100 } = options;
  const listed: Violation[] = [];
  const store = openStore(config);
  const commits = options.archiveOnly ? undefined : openCommits(config);
  const asked = commits && patientAlready(commits);

  const bar = options.json ? undefined : createBar();
  let report: VerifyReport;
  try {
    report = await verifyArchive({
      store,
      pipeline: config.name,
      // A replay ends where its range does, not with the topic.
      commits: asked && options.replay !== undefined ? { ...asked, ends: () => Promise.resolve([]) } : asked,
      since,
      quick: options.quick,
      onViolation(violation) {
        if (listed.length < limit) listed.push(violation);
      },
      onProgress: (done, total) => bar?.show(done, total),
    });
  } finally {
    bar?.stop();
    commits?.close();
    await store.close();
  }
  const text = options.json ? JSON.stringify({ ...report, listed }) : reportText(report, listed);
  process.stdout.write(`${text}\n`);
  if (report.holds === null) return VERIFY_EXIT.failed;
  return report.holds ? VERIFY_EXIT.holds : VERIFY_EXIT.violated;
}

/** Who asks for commits has waited for an answer itself: what waits seven times as long in turn is not asked again. */
function patientAlready(commits: Commits): Commits {
  async function once<Result>(question: () => Promise<Result>): Promise<Result> {
    try {
      return await question();
    } catch (error) {
      if (error instanceof RetryableError) throw new OperationalError(error.message, { cause: error });
      throw error;
    }
  }
  return {
    ...commits,
    positions: () => once(() => commits.positions()),
    ...(commits.ends ? { ends: () => once(() => commits.ends!()) } : {}),
  };
}

/** On a terminal only; on standard error, so that what is printed can be kept. */
function createBar() {
  const bar = new SingleBar(
    { format: ' {bar} {value}/{total} transactions', hideCursor: true, clearOnComplete: true, barsize: 30 },
    Presets.shades_classic,
  );
  let isShown = false;
  return {
    show(done: number, total: number): void {
      if (!isShown) bar.start(total, 0);
      isShown = true;
      bar.update(done);
    },
    stop(): void {
      if (isShown) bar.stop();
    },
  };
}

function verdictOf({ holds, kinds }: VerifyReport): string {
  if (holds === null) return 'has no transaction, so nothing is proved: was anything archived there yet?';
  if (holds) return 'holds';
  const counts = Object.entries(kinds).map(([kind, number]) => `${kind} ${number.toLocaleString('en')}`);
  return `does not hold: ${counts.join(', ')}`;
}

function reportText(report: VerifyReport, listed: readonly Violation[]): string {
  const count = (number: number) => number.toLocaleString('en');
  const many = new Set(report.partitions.map(({ pipeline }) => pipeline)).size > 1;
  const partitions = report.partitions.map(({ pipeline, topic, partition, from, to, committed, end }) => {
    const known = [
      committed === undefined ? 'commit not known' : `committed ${committed}`,
      ...(end === undefined ? [] : [`${count(Math.max(0, end - to))} behind the end`]),
    ];
    return `  ${many ? `${pipeline} ` : ''}${topic}-${partition}: ${from} to ${to} (${known.join(', ')})`;
  });
  const hidden = report.violations - listed.length;
  return [
    ...listed.map((violation) => violationLine(violation)),
    ...(hidden > 0 ? [`and ${count(hidden)} more`] : []),
    ...(listed.length > 0 ? [''] : []),
    `${report.archive} ${verdictOf(report)}`,
    `  ${count(report.transactions)} transactions, ${count(report.files)} files (${formatBytes(report.bytes)}): ` +
      `${count(report.rows)} rows, ${count(report.dead_letters)} dead letters, ${count(report.skipped)} skipped, ` +
      `${count(report.absent)} absent`,
    ...partitions,
    ...report.notes.map((note) => `  note: ${note}`),
  ].join('\n');
}
