import type { MeasurementRecord } from '../harness/record.ts';
import type { Sample } from '../harness/sample.ts';
import { spreadOf } from '../harness/statistics.ts';

const MIB = 1024 ** 2;
/** Others on the machine beyond this share of it make a figure doubtful. */
const DISTURBED = 0.1;

interface Column {
  readonly title: string;
  /** Cell of a record; undefined when it has no such figure. */
  readonly cell: (record: MeasurementRecord) => string | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: '', cell: ({ title }) => title },
  { title: 'per second', cell: ({ samples, unit }) => suffixed(spread(samples, perSecond), unit) },
  { title: 'CPU s per million', cell: ({ samples }) => spread(samples, cpuPerMillion) },
  {
    title: 'peak memory, MiB',
    cell: ({ samples }) => middle(samples, ({ peakRss }) => scaled(peakRss, MIB)),
  },
  {
    title: 'bytes out each',
    cell: ({ samples }) => middle(samples, ({ bytesOut, count }) => scaled(bytesOut, count)),
  },
  { title: 'files', cell: ({ samples }) => middle(samples, ({ files }) => files) },
  { title: 'S3 requests', cell: ({ samples }) => middle(samples, ({ requests }) => requests) },
  { title: 'rows lost', cell: ({ samples }) => worst(samples, ({ lost }) => lost) },
  { title: 'rows twice', cell: ({ samples }) => worst(samples, ({ twice }) => twice) },
  { title: 'more', cell: ({ samples }) => more(samples) },
];

/**
 * A Markdown table of records: medians over rounds with least and most in parentheses. Columns that no record has a figure
 * for are left out. `*` marks rows during which other processes took more than a tenth of the machine.
 */
export function tableOf(records: readonly MeasurementRecord[]): string {
  const columns = COLUMNS.filter(({ cell }) => records.some((record) => cell(record) !== undefined));
  const rows = records.map((record) =>
    record.samples.length === 0
      ? [`${record.title}: failed`, ...columns.slice(1).map(() => '')]
      : columns.map(
          ({ cell }, at) => `${cell(record) ?? ''}${at === 0 && isDisturbed(record) ? ' \\*' : ''}`,
        ),
  );
  return [columns.map(({ title }) => title), columns.map((_, at) => (at === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

/** Whether other processes took more than a tenth of the machine in the median round. */
export function isDisturbed({ samples }: MeasurementRecord): boolean {
  const shares = samples.flatMap(({ others }) => (others === undefined ? [] : [others]));
  return (spreadOf(shares)?.median ?? 0) > DISTURBED;
}

/** Throughput of a sample. */
export function perSecond({ count, seconds }: Sample): number {
  return count / seconds;
}

/** CPU seconds that a million of what was counted cost. */
export function cpuPerMillion({ cpuSeconds, count }: Sample): number {
  return (cpuSeconds / count) * 1e6;
}

/** A number with as many digits as it deserves: 1,234 or 12.3 or 0.123. */
export function readable(value: number): string {
  const size = Math.abs(value);
  const isWhole = Number.isInteger(Number(value.toPrecision(6)));
  const digits = size >= 100 || isWhole ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}

function figures(samples: readonly Sample[], figure: (sample: Sample) => number | undefined) {
  return spreadOf(samples.map(figure).filter((value) => value !== undefined));
}

function spread(samples: readonly Sample[], figure: (sample: Sample) => number): string | undefined {
  const found = figures(samples, figure);
  if (!found) return undefined;
  const { median, least, most } = found;
  return samples.length === 1
    ? readable(median)
    : `${readable(median)} (${readable(least)} – ${readable(most)})`;
}

function middle(samples: readonly Sample[], figure: (sample: Sample) => number | undefined) {
  const found = figures(samples, figure);
  return found && readable(found.median);
}

function worst(samples: readonly Sample[], figure: (sample: Sample) => number | undefined) {
  const found = figures(samples, figure);
  return found && readable(found.most);
}

function suffixed(text: string | undefined, unit: string): string | undefined {
  return text && `${text} ${unit}`;
}

function more(samples: readonly Sample[]): string | undefined {
  const names = [...new Set(samples.flatMap((sample) => Object.keys(sample.more ?? {})))];
  if (names.length === 0) return undefined;
  return names.map((name) => `${name}: ${middle(samples, (sample) => sample.more?.[name])}`).join('; ');
}
