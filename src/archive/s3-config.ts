import { z } from 'zod';
import { s3ConnectionFields } from '../s3-connection-config.ts';
import { size } from '../units.ts';

const MiB = 1024 ** 2;

const encryption = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('none').describe('Asks for nothing: the default of the bucket holds'),
  }),
  z.strictObject({
    type: z.literal('s3').describe('SSE-S3: keys that the server manages (AES256)'),
  }),
  z
    .strictObject({
      type: z.literal('kms').describe('SSE-KMS: keys of the key management service'),
      kms_key: z
        .string()
        .min(1)
        .describe(
          'Id, ARN or alias of the key; `{customer}` stands for the customer of the file (bytes other than letters, digits, `-` and `_` as `/` and two hex digits, so that every customer has an alias of its own)',
        )
        .optional(),
      kms_key_default: z
        .string()
        .min(1)
        .describe('Key of what belongs to no single customer: manifests, dead letters; else `kms_key`')
        .optional(),
      bucket_key: z
        .boolean()
        .describe(
          'Derive the keys of objects from one of the bucket, which saves requests to the key service',
        )
        .default(true),
    })
    .refine(
      ({ kms_key, kms_key_default }) => !kms_key?.includes('{customer}') || kms_key_default !== undefined,
      'expected `kms_key_default` beside a `kms_key` with {customer}: manifests and dead letters belong to none',
    )
    .refine(
      ({ kms_key_default }) => !kms_key_default?.includes('{'),
      'expected a `kms_key_default` without a placeholder',
    ),
]);

/** The `s3` member of `archive.store`. Sizes in bytes and durations in milliseconds once parsed. */
export const s3StoreConfig = z.strictObject({
  type: z.literal('s3').describe('Objects in a bucket of Amazon S3, or of a server with the same interface'),
  bucket: z
    .string()
    .regex(
      /^(arn:[^\s]+|[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])$/,
      'expected the name of a bucket, without `s3://` and without a path, or the ARN of an access point',
    )
    .describe('Name of the bucket, which must exist, or ARN of an access point'),
  prefix: z
    .string()
    .refine(
      (prefix) =>
        prefix === '' ||
        (prefix.endsWith('/') &&
          !/[\\\0]/.test(prefix) &&
          prefix
            .slice(0, -1)
            .split('/')
            .every((part) => !['', '.', '..', '_sluice'].includes(part))),
      'expected nothing, or a path such as `moderation/`: no `/` before it, one after it, without `.`, `..` and `_sluice`',
    )
    .describe('What all keys begin with; Sluice alone writes below it')
    .default(''),
  region: s3ConnectionFields.region,
  endpoint: s3ConnectionFields.endpoint,
  path_style: s3ConnectionFields.path_style,
  encryption: encryption.describe('Server-side encryption of all objects').prefault({ type: 'none' }),
  storage_class: z
    .string()
    .regex(/^[A-Z0-9_]+$/, 'expected a storage class such as STANDARD or INTELLIGENT_TIERING')
    .describe("Storage class of content files; else the bucket's default (all others: that default)")
    .optional(),
  part_bytes: size()
    .refine((bytes) => bytes >= 5 * MiB && bytes <= 1024 * MiB, 'expected 5MiB to 1GiB')
    .describe('Larger files are uploaded in parts of this size, several at a time')
    .prefault('8MiB'),
  connections: s3ConnectionFields.connections,
  connect_timeout: s3ConnectionFields.connect_timeout,
  idle_timeout: s3ConnectionFields.idle_timeout,
});

/** The `s3` member of `archive.store` after checks. Credentials never stand in it: they come by the standard chain. */
export type S3StoreConfig = z.infer<typeof s3StoreConfig>;
