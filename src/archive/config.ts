import { z } from 'zod';
import { duration, size } from '../units.ts';
import { s3StoreConfig } from './s3-config.ts';

/** What the path of a shard file names, outermost first; `hour` needs `day`. */
export type PartitionKey = 'customer' | 'day' | 'hour';

const storeConfig = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('directory').describe('Files below a local directory'),
    path: z.string().min(1).describe('Root directory of the archive, made when missing').default('./out'),
  }),
  s3StoreConfig,
]);

/** The `archive:` section of the configuration. Sizes in bytes and durations in milliseconds once parsed. */
export const archiveConfig = z.strictObject({
  store: storeConfig.describe('Where files go').prefault({ type: 'directory' }),
  partition_by: z
    .array(z.enum(['customer', 'day', 'hour']))
    .refine((keys) => new Set(keys).size === keys.length, 'expected each key at most once')
    .refine((keys) => !keys.includes('hour') || keys.includes('day'), 'expected `day` beside `hour`')
    .describe('What the path of a file names, outermost first')
    .default(['customer', 'day']),
  rotate: z
    .strictObject({
      bytes: size().describe('Flush when this much is buffered, all shards together').prefault('128MiB'),
      rows: z
        .int()
        .min(1)
        .describe('Flush when this many rows are buffered, all shards together')
        .default(5_000_000),
      age: duration().describe('Flush when the oldest buffered message waited this long').prefault('5m'),
    })
    .describe('When buffered rows become files')
    .prefault({}),
  memory: size()
    .describe('Most memory for buffered rows, those being written included; reading waits above it')
    .prefault('256MiB'),
  row_group_rows: z.int().min(1_000).max(1_000_000).describe('Rows of a Parquet row group').default(100_000),
  file_bytes: size()
    .refine((bytes) => bytes >= 1024 && bytes <= 1024 ** 3, 'expected 1KiB to 1GiB')
    .describe('A shard gets another file beyond this much buffered, before compression')
    .prefault('64MiB'),
  compression: z
    .enum(['zstd', 'snappy', 'none'])
    .describe('Codec of the Parquet pages (zstd at level 1)')
    .default('zstd'),
});

/** The archive's configuration after checks. */
export type ArchiveConfig = z.infer<typeof archiveConfig>;
