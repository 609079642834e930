import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CorruptError, messageOf } from '../../src/errors.ts';
import type { Machine } from './machine.ts';
import type { Measurement, Sample } from './sample.ts';

const count = z.number().nonnegative();
const sampleSchema = z.strictObject({
  count,
  seconds: count,
  cpuSeconds: count,
  peakRss: count.optional(),
  bytesOut: count.optional(),
  files: count.optional(),
  requests: count.optional(),
  lost: count.optional(),
  twice: count.optional(),
  serverCpuSeconds: count.optional(),
  others: z.number().optional(),
  more: z.record(z.string(), z.number()).optional(),
});
const recordSchema = z.strictObject({
  suite: z.string(),
  name: z.string(),
  title: z.string(),
  unit: z.string(),
  parameters: z.record(z.string(), z.union([z.number(), z.string()])),
  versions: z.record(z.string(), z.string()),
  machine: z.strictObject({ cpu: z.string(), cores: z.number(), memoryGiB: z.number(), system: z.string() }),
  /** When the run began in which it was measured: measurements with the same one took turns. */
  run: z.string(),
  /** By round. */
  samples: z.array(sampleSchema),
  /** Why the last round failed; the run goes on with the others. */
  failure: z.string().optional(),
});

/** What is kept of one measurement: a file that grows by a sample each round. */
export interface MeasurementRecord extends Omit<
  z.infer<typeof recordSchema>,
  'samples' | 'machine' | 'failure'
> {
  readonly machine: Machine;
  readonly samples: readonly Sample[];
  readonly failure?: string;
}

/** A record without samples yet. */
export function emptyRecord(options: {
  readonly suite: string;
  readonly measurement: Measurement;
  readonly machine: Machine;
  readonly run: string;
}): MeasurementRecord {
  const { measurement, ...rest } = options;
  const { name, title, unit, parameters, versions } = measurement;
  return { ...rest, name, title, unit, parameters, versions, samples: [] };
}

/** Whether samples of now may join those of a record: same machine, versions and parameters. */
export function isCurrent(record: MeasurementRecord, measurement: Measurement, machine: Machine): boolean {
  const { parameters, versions } = measurement;
  return same([record.parameters, record.versions, record.machine], [parameters, versions, machine]);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a, sorted) === JSON.stringify(b, sorted);
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Where records are kept: `<directory>/<suite>/<name>.json`. */
export interface Records {
  read(suite: string, name: string): MeasurementRecord | undefined;
  /** All records, by suite and name. */
  all(): MeasurementRecord[];
  /** Writes whole or not at all. */
  write(record: MeasurementRecord): void;
  remove(suite: string, name: string): void;
}

/** Records in files. Reading throws CorruptError for a file that is none. */
export function createRecords(directory: string): Records {
  const path = (suite: string, name: string) => join(directory, suite, `${name}.json`);
  const read = (suite: string, name: string) => {
    const file = path(suite, name);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return recordSchema.parse(JSON.parse(text)) as MeasurementRecord;
    } catch (error) {
      throw new CorruptError(
        `${file}: expected a record of a measurement, got something else (${messageOf(error)}); remove it and measure again`,
        { cause: error },
      );
    }
  };
  return {
    read,
    all() {
      const files = list(directory).flatMap((suite) =>
        list(join(directory, suite))
          .filter((name) => name.endsWith('.json'))
          .map((name) => [suite, name] as const),
      );
      return files.map(([suite, name]) => read(suite, name.slice(0, -'.json'.length))!);
    },
    write(record) {
      const file = path(record.suite, record.name);
      mkdirSync(join(directory, record.suite), { recursive: true });
      writeFileSync(`${file}.tmp`, `${JSON.stringify(record, undefined, 2)}\n`);
      renameSync(`${file}.tmp`, file);
    },
    remove(suite, name) {
      rmSync(path(suite, name), { force: true });
    },
  };
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
