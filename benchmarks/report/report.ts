import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError } from '../../src/errors.ts';
import type { MeasurementRecord } from '../harness/record.ts';
import { median } from '../harness/statistics.ts';
import { SUITES } from '../suites/index.ts';
import { plotOf, type Line } from './plot.ts';
import { cpuPerMillion, isDisturbed, perSecond, tableOf } from './table.ts';

const BEGIN = '<!-- results -->';
const END = '<!-- /results -->';
const PLOT = 'throughput.svg';

/** Writes all records as tables into the README, as one JSON file for machines, and as a plot. */
export function writeReport(options: {
  readonly records: readonly MeasurementRecord[];
  /** Markdown file with the two markers. */
  readonly readme: string;
  /** Where `summary.json` and the plot go. */
  readonly directory: string;
}): void {
  const { records, readme, directory } = options;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'summary.json'), `${JSON.stringify(summaryOf(records), undefined, 2)}\n`);
  const lines = linesOf(records);
  if (lines.length > 0)
    writeFileSync(
      join(directory, PLOT),
      plotOf({ title: 'Throughput by message size and by customers', unit: 'messages/s', lines }),
    );
  const plot = lines.length > 0 ? `![Throughput](results/${PLOT})\n\n` : '';
  writeFileSync(
    readme,
    replaceBetween(readFileSync(readme, 'utf8'), `${plot}${sectionsOf(records)}`, readme),
  );
}

/** One section for each suite that has records: heading, what it is, when and on what it was taken, its table. */
export function sectionsOf(records: readonly MeasurementRecord[]): string {
  return Object.entries(SUITES)
    .flatMap(([suite, { title, about }]) => {
      const own = ordered(records.filter((record) => record.suite === suite));
      if (own.length === 0) return [];
      return [`### ${title}\n\n${about}\n\n${tableOf(own)}\n${provenance(own)}\n`];
    })
    .join('\n');
}

/** Throughput first where rows compete; else in the order of their names, the first measured first. */
function ordered(records: readonly MeasurementRecord[]): readonly MeasurementRecord[] {
  const [first] = records;
  if (first?.suite !== 'peers') return records;
  return records.toSorted((a, b) => rate(b) - rate(a));
}

function rate({ samples }: MeasurementRecord): number {
  return samples.length === 0 ? 0 : median(samples.map(perSecond));
}

function provenance(records: readonly MeasurementRecord[]): string {
  const { machine } = records[0]!;
  const runs = [...new Set(records.map(({ run }) => run.slice(0, 16).replace('T', ' ')))];
  const rounds = [...new Set(records.map(({ samples }) => samples.length))].join(' to ');
  const versions = new Map(records.flatMap((record) => Object.entries(record.versions)));
  versions.delete('program');
  const list = [...versions].map(([name, version]) => `${name} ${version}`).join(', ');
  const disturbed = records.some(isDisturbed)
    ? ' `*`: other processes took more than a tenth of the machine meanwhile.'
    : '';
  return `${runs.join(' and ')} UTC, ${rounds} rounds, ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}. ${list}.${disturbed}\n`;
}

function summaryOf(records: readonly MeasurementRecord[]): unknown {
  return records
    .filter(({ samples }) => samples.length > 0)
    .map(({ samples, ...record }) => ({
      ...record,
      rounds: samples.length,
      per_second: median(samples.map(perSecond)),
      cpu_seconds_per_million: median(samples.map(cpuPerMillion)),
      lost: Math.max(...samples.map(({ lost = 0 }) => lost)),
      twice: Math.max(...samples.map(({ twice = 0 }) => twice)),
    }));
}

/** The pipeline's throughput against message size and against customers, where all of their points were taken. */
function linesOf(records: readonly MeasurementRecord[]): Line[] {
  const pipeline = new Map(
    records.filter(({ suite }) => suite === 'pipeline').map((each) => [each.name, each]),
  );
  const line = (title: string, names: readonly (readonly [string, string])[]): Line[] => {
    const points = names.flatMap(([name, label]) => {
      const record = pipeline.get(name);
      return record && record.samples.length > 0 ? [{ label, value: rate(record) }] : [];
    });
    return points.length === names.length ? [{ title, points }] : [];
  };
  return [
    ...line('Message size', [
      ['bytes-100', '100 B'],
      ['usual', '300 B'],
      ['bytes-2000', '2 kB'],
    ]),
    ...line('Customers', [
      ['customers-10', '10'],
      ['usual', '50'],
      ['customers-100', '100'],
      ['customers-1000', '1,000'],
    ]),
  ];
}

/** Replaces what stands between the markers. Throws CorruptError when a marker is missing. */
export function replaceBetween(text: string, content: string, file: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from)
    throw new CorruptError(`${file}: expected the lines ${BEGIN} and ${END}, in this order; write them back`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${content}${text.slice(to)}`;
}
