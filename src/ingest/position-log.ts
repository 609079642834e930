import { z } from 'zod';
import { CorruptError } from '../errors.ts';

const offset = z.int().min(0);

const record = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('takeover'),
    version: z.literal(1),
    epoch: z.int().min(1),
    owner: z.string().min(1),
    at: z.string(),
  }),
  z.strictObject({ kind: z.literal('files'), owner: z.string(), files: z.record(z.string(), offset) }),
  z.strictObject({
    kind: z.literal('commit'),
    owner: z.string(),
    transaction: z.string(),
    positions: z.record(z.string().regex(/^\d+$/), offset),
  }),
]);

/**
 * One line of a position file. `takeover`: a process becomes the owner, everyone before it is fenced. `files`: partition
 * numbers of real paths. `commit`: next offsets by partition, and the transaction that settled what is before them.
 */
export type PositionRecord = z.infer<typeof record>;

/** What a position file says. */
export interface Positions {
  /** Number and owner of the last takeover; 0 and '' in a new file. */
  readonly epoch: number;
  readonly owner: string;
  /** Partition of each real path. */
  readonly files: ReadonlyMap<string, number>;
  /** Committed position by partition; none before the first commit. */
  readonly committed: ReadonlyMap<number, { readonly offset: number; readonly transaction: string }>;
}

/**
 * A record as it is appended: a line that ends with a tab, which JSON text never holds. The newline comes first and closes
 * a line that a crash left unfinished; such a line lacks its tab, which tells it from a damaged one.
 */
export function encodeRecord(value: PositionRecord): string {
  return `\n${JSON.stringify(value)}\t`;
}

/** The whole records of a position file's text, in order. Throws CorruptError as {@link foldRecords} does. */
export function readRecords(text: string, file: string): PositionRecord[] {
  return text
    .split('\n')
    .flatMap((line, at) => (line.endsWith('\t') ? [parseRecord(line, at + 1, file)] : []));
}

/**
 * Reads a position file's text. Records count in their order, those of an owner only until the next takeover. Lines that
 * a crash left unfinished were never acknowledged and do not count; any other line that is no record throws
 * CorruptError with `file` and what to do.
 */
export function foldRecords(text: string, file: string): Positions {
  let epoch = 0;
  let owner = '';
  const files = new Map<string, number>();
  const committed = new Map<number, { offset: number; transaction: string }>();
  for (const entry of readRecords(text, file)) {
    if (entry.kind === 'takeover') ({ epoch, owner } = entry);
    else if (entry.owner !== owner) continue;
    else if (entry.kind === 'files') {
      for (const [path, partition] of Object.entries(entry.files)) files.set(path, partition);
    } else {
      const { transaction } = entry;
      for (const [partition, next] of Object.entries(entry.positions)) {
        committed.set(Number(partition), { offset: next, transaction });
      }
    }
  }
  if (epoch === 0 && !isUnfinishedTakeover(text)) throw corrupt(file, 'it does not begin with a record');
  return { epoch, owner, files, committed };
}

/** What the crash of the very first writer leaves, nothing included. */
function isUnfinishedTakeover(text: string): boolean {
  const beginning = encodeRecord({ kind: 'takeover', version: 1, epoch: 1, owner: '', at: '' }).slice(0, 19);
  return text.startsWith(beginning) || beginning.startsWith(text);
}

function parseRecord(line: string, number: number, file: string): PositionRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw corrupt(file, `line ${number} is not JSON`);
  }
  const result = record.safeParse(value);
  if (!result.success) throw corrupt(file, `line ${number} is not a record of positions`);
  return result.data;
}

function corrupt(file: string, problem: string): CorruptError {
  return new CorruptError(
    `${file}: expected a position file, but ${problem}. Restore it from a backup; or move it away and empty the archive ` +
      'to start over (with the archive kept, everything would be archived a second time)',
  );
}
