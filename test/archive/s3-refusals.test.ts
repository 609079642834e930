import { createServer } from 'node:net';
import { inspect } from 'node:util';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Store } from '../../src/archive/s3-store.ts';
import { startFaultyS3, type Fault, type FaultyS3 } from '../services/faulty-s3.ts';
import { makeBucket, s3Endpoint, type TestBucket } from '../services/s3-bucket.ts';

const one = new Uint8Array([1, 2, 3]);
const file = {
  key: 'dt=2026-01-01/tx1-0.parquet',
  bytes: 3,
  rows: 1,
  crc32: '55bc801d',
  kind: 'content',
  customer: 'acme',
} as const;

let bucket: TestBucket;
let proxy: FaultyS3;
beforeAll(async () => {
  bucket = await makeBucket();
  proxy = await startFaultyS3(s3Endpoint());
});
afterAll(async () => {
  await proxy.close();
  await bucket.close();
});

/** The error of a prepare, with these credentials in the environment. */
async function refusal(changes: object, env: Readonly<Record<string, string>> = {}): Promise<Error> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  const store = createS3Store({ settle: 0, config: bucket.config(changes) });
  try {
    return await store.prepare(file, one).then(
      () => new Error('it was not refused'),
      (error: unknown) => error as Error,
    );
  } finally {
    for (const name of Object.keys(env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    await store.close();
  }
}

/** The error of a prepare whose requests of that operation are answered so. */
async function answered(operation: string, fault: Fault, changes: object = {}): Promise<Error> {
  proxy.set((request) => (request.operation === operation ? fault : undefined));
  return refusal({ endpoint: proxy.url, prefix: 'lake/', ...changes });
}

describe('a bucket that the server refuses', () => {
  it('is missing', async () => {
    expect(await refusal({ bucket: 'no-such-bucket' })).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /^s3:\/\/no-such-bucket\/dt=2026-01-01\/tx1-0.parquet: CreateMultipartUpload failed: NoSuchBucket \(404, .+\): .+; create the bucket, or correct archive\.store\.bucket \(and \.endpoint\)$/,
      ),
    });
  });

  it('does not know the key', async () => {
    expect(await refusal({}, { AWS_ACCESS_KEY_ID: 'nobody' })).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /(XAdminUserNotFound|InvalidAccessKeyId) \(40[34], .+; these credentials are not known to the server: give them by a role/,
      ),
    });
  });

  it('does not know the key, in the words of Amazon S3', async () => {
    expect(
      await answered('CreateMultipartUpload', { status: 403, code: 'InvalidAccessKeyId' }),
    ).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(/InvalidAccessKeyId \(403, .+; these credentials are not known/),
    });
  });

  it('does not accept the secret', async () => {
    expect(await refusal({}, { AWS_SECRET_ACCESS_KEY: 'wrong' })).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /SignatureDoesNotMatch \(403, .+; these credentials are not known to the server/,
      ),
    });
  });

  it('is of another region', async () => {
    expect(await refusal({ region: 'eu-central-1' })).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /AuthorizationHeaderMalformed \(400, .+; set archive\.store\.region to us-east-1$/,
      ),
    });
    const elsewhere = { 'x-amz-bucket-region': 'eu-west-1' };
    expect(
      await answered('CreateMultipartUpload', { status: 301, code: 'PermanentRedirect', headers: elsewhere }),
    ).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(/PermanentRedirect .+; set archive\.store\.region to eu-west-1$/),
    });
  });

  it('has no credentials to ask with', async () => {
    const none = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    expect(await refusal({}, none)).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /: CreateMultipartUpload: no credentials: .+; give them by a role of the machine, by AWS_PROFILE, or by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY$/,
      ),
    });
  });

  it('cannot be reached', async () => {
    // A port that was free a moment ago.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const endpoint = `http://127.0.0.1:${port}`;
    expect(await refusal({ endpoint })).toMatchObject({
      name: 'RetryableError',
      message: expect.stringMatching(
        /^s3:\/\/.+: CreateMultipartUpload: no answer: .*ECONNREFUSED.* \(ECONNREFUSED\)$/,
      ),
    });
    await expect(
      createS3Store({ settle: 0, config: bucket.config({ endpoint }) }).check(),
    ).rejects.toMatchObject({
      name: 'MisconfiguredError',
      message: expect.stringMatching(/^archive\.store: s3:\/\/.+ECONNREFUSED/),
    });
  });

  it('speaks no TLS where https is expected', async () => {
    expect(await refusal({ endpoint: proxy.url.replace('http:', 'https:') })).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(/no TLS connection: .+; check archive\.store\.endpoint/),
    });
  });

  for (const [operation, advice] of [
    ['CreateMultipartUpload', 's3:PutObject on arn:aws:s3:::BUCKET/lake/*'],
    ['UploadPart', 's3:PutObject on arn:aws:s3:::BUCKET/lake/*'],
  ] as const) {
    it(`denies ${operation}`, async () => {
      const denied = { status: 403, code: 'AccessDenied', message: 'Access Denied' };
      expect(await answered(operation, denied)).toMatchObject({
        name: 'StoreError',
        message: `s3://${bucket.name}/lake/${file.key}: ${operation} failed: AccessDenied (403, request FAULT): Access Denied; allow ${advice.replace('BUCKET', bucket.name)} for these credentials`,
      });
    });
  }

  it('has credentials that end', async () => {
    const expired = { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' };
    expect(await answered('UploadPart', expired)).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /ExpiredToken \(400, .+; the credentials have ended: give credentials that renew/,
      ),
    });
  });

  it('lacks the key that encrypts', async () => {
    for (const [code, message, advice] of [
      [
        'KMS.NotFoundException',
        'Alias is not found',
        /; check archive\.store\.encryption\.kms_key: that the key exists/,
      ],
      [
        'AccessDenied',
        'User: arn:aws:iam::1:user/x is not authorized to perform: kms:GenerateDataKey on this resource',
        /; allow kms:GenerateDataKey \(uploads need kms:GenerateDataKey and kms:Decrypt\) on the key/,
      ],
    ] as const) {
      const refused = await answered('CreateMultipartUpload', { status: 400, code, message });
      expect(refused).toMatchObject({ name: 'StoreError', message: expect.stringMatching(advice) });
    }
    const throttled = { status: 400, code: 'KMS.ThrottlingException', message: 'Rate exceeded' };
    expect(await answered('CreateMultipartUpload', throttled)).toMatchObject({ name: 'RetryableError' });
  });

  it('lacks an operation', async () => {
    expect(await answered('CreateMultipartUpload', { status: 501, code: 'NotImplemented' })).toMatchObject({
      name: 'StoreError',
      message: expect.stringMatching(
        /NotImplemented \(501, .+; the server lacks an operation that Sluice needs$/,
      ),
    });
  });
});

describe('the check', () => {
  const config = () => bucket.config({ endpoint: proxy.url, prefix: 'lake/' });

  it('names the permission that is missing for each thing that the store does', async () => {
    const denied = { status: 403, code: 'AccessDenied', message: 'Access Denied' };
    const arn = `arn:aws:s3:::${bucket.name}`;
    for (const [operation, advice] of [
      ['ListParts', `s3:ListMultipartUploadParts on ${arn}/lake/*`],
      ['CompleteMultipartUpload', `s3:PutObject on ${arn}/lake/*`],
      ['HeadObject', `s3:GetObject on ${arn}/lake/*, and s3:ListBucket on ${arn}`],
      ['GetObject', `s3:GetObject on ${arn}/lake/*, and s3:ListBucket on ${arn}`],
      ['PutObject', `s3:PutObject on ${arn}/lake/*`],

      ['DeleteObject', `s3:DeleteObject on ${arn}/lake/*`],
      ['AbortMultipartUpload', `s3:AbortMultipartUpload on ${arn}/lake/*`],
      ['ListMultipartUploads', `s3:ListBucketMultipartUploads on ${arn}`],
      ['ListObjectsV2', `s3:ListBucket on ${arn}`],
    ] as const) {
      proxy.set((request) => (request.operation === operation ? denied : undefined));
      const store = createS3Store({ settle: 0, config: config() });
      await expect(store.check(), operation).rejects.toMatchObject({
        name: 'MisconfiguredError',
        message: expect.stringMatching(/^archive\.store: s3:\/\//),
      });
      await expect(store.check(), operation).rejects.toThrow(`; allow ${advice} for these credentials`);
      await store.close();
    }
  });

  it('refuses a server that overwrites in spite of If-None-Match', async () => {
    const keys = await bucket.keys();
    const before = proxy.requests.filter(({ operation }) => operation === 'PutObject').length;
    proxy.set(({ operation, earlier }) =>
      operation === 'PutObject' && earlier > before ? { status: 200 } : undefined,
    );
    const store = createS3Store({ settle: 0, config: config() });
    await expect(store.check()).rejects.toMatchObject({
      name: 'MisconfiguredError',
      message: expect.stringContaining('the server ignores `If-None-Match: *`'),
    });
    expect(await bucket.keys()).toEqual(keys);
    await store.close();
  });
});

describe('what is asked for each object', () => {
  /** Headers of the requests that create objects in one flush of a content file and a file of dead letters. */
  async function headersOf(changes: object): Promise<Record<string, Record<string, unknown>>> {
    proxy.set(({ operation }) =>
      // What a server without a key service would refuse is answered in its place.
      operation === 'CreateMultipartUpload'
        ? {
            status: 200,
            body: '<?xml version="1.0"?><InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
          }
        : { status: 200, headers: { etag: '"e"' } },
    );
    const start = proxy.requests.length;
    const store = createS3Store({ settle: 0, config: bucket.config({ endpoint: proxy.url, ...changes }) });
    await store.prepare(file, one);
    await store.prepare({ ...file, key: 'unnamed-0.parquet', customer: 'a/b ü' }, one);
    await store.prepare({ ...file, key: 'tx1.jsonl', kind: 'dead_letters' }, one);
    await store.writeManifest({
      version: 1,
      id: 'tx1',
      pipeline: 'a',
      createdAt: '',
      reason: 'age',
      files: [],
      partitions: [],
    });
    await store.close();
    const found: Record<string, Record<string, unknown>> = {};
    for (const { operation, url, headers } of proxy.requests.slice(start)) {
      if (operation === 'UploadPart') continue;
      const wanted = Object.entries(headers).filter(([name]) => /encryption|storage-class/.test(name));
      found[new URL(url, proxy.url).pathname.split('/').at(-1)!] = Object.fromEntries(
        wanted.map(([name, value]) => [name.replace('x-amz-server-side-encryption', 'sse'), value]),
      );
    }
    return found;
  }

  it('is a checksum of each part, and that no manifest is there', async () => {
    proxy.set();
    const start = proxy.requests.length;
    const store = createS3Store({ settle: 0, config: bucket.config({ endpoint: proxy.url }) });
    await store.publish(await store.prepare(file, one));
    await store.writeManifest({
      version: 1,
      id: 'tx2',
      pipeline: 'a',
      createdAt: '',
      reason: 'age',
      files: [],
      partitions: [],
    });
    await store.close();
    const sent = (operation: string) =>
      proxy.requests.slice(start).find((request) => request.operation === operation)?.headers;
    expect(sent('CreateMultipartUpload')).toMatchObject({ 'x-amz-checksum-algorithm': 'CRC32' });
    expect(sent('UploadPart')).toMatchObject({ 'x-amz-checksum-crc32': 'VbyAHQ==', 'content-length': '3' });
    expect(sent('PutObject')).toMatchObject({ 'if-none-match': '*' });
    expect(sent('PutObject')?.['x-amz-checksum-crc32']).toMatch(/^.{6}==$/);
    for (const { headers } of proxy.requests.slice(start))
      expect(headers['content-encoding'] ?? headers['expect']).toBeUndefined();
  });

  it('is nothing by default', async () => {
    expect(await headersOf({})).toEqual({
      'tx1-0.parquet': {},
      'unnamed-0.parquet': {},
      'tx1.jsonl': {},
      'tx1.json': {},
    });
  });

  it('is SSE-S3, and a storage class for content only', async () => {
    const changes = { encryption: { type: 's3' }, storage_class: 'INTELLIGENT_TIERING' };
    expect(await headersOf(changes)).toEqual({
      'tx1-0.parquet': { sse: 'AES256', 'x-amz-storage-class': 'INTELLIGENT_TIERING' },
      'unnamed-0.parquet': { sse: 'AES256', 'x-amz-storage-class': 'INTELLIGENT_TIERING' },
      'tx1.jsonl': { sse: 'AES256' },
      'tx1.json': { sse: 'AES256' },
    });
  });

  it('is a key of the customer, and another one for what belongs to none', async () => {
    const encryption = { type: 'kms', kms_key: 'alias/c-{customer}', kms_key_default: 'alias/all' };
    const kms = (key: string) => ({
      sse: 'aws:kms',
      'sse-aws-kms-key-id': key,
      'sse-bucket-key-enabled': 'true',
    });
    expect(await headersOf({ encryption })).toEqual({
      'tx1-0.parquet': kms('alias/c-acme'),
      'unnamed-0.parquet': kms('alias/c-a/2Fb/20/C3/BC'),
      'tx1.jsonl': kms('alias/all'),
      'tx1.json': kms('alias/all'),
    });
  });
});

describe('an error', () => {
  it('holds nothing of the request, which carries signatures and tokens', async () => {
    const env = { AWS_SESSION_TOKEN: 'the-token' };
    const fault = { status: 403, code: 'AccessDenied', message: 'Access Denied' };
    for (const error of [
      await answered('UploadPart', fault),
      await refusal({ bucket: 'no-such-bucket' }, env),
    ])
      expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(
        /the-token|authorization|Signature=/i,
      );
  });
});
