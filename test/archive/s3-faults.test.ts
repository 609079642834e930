import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checksum } from '../../src/archive/encode.ts';
import { createS3Store, type S3Store } from '../../src/archive/s3-store.ts';
import { LostFileError, RetryableError } from '../../src/errors.ts';
import type { PreparedFile, Transaction } from '../../src/types.ts';
import { startFaultyS3, type Fault, type FaultyS3 } from '../services/faulty-s3.ts';
import { makeBucket, s3Endpoint, type TestBucket } from '../services/s3-bucket.ts';

const FAULTS: Readonly<Record<string, Fault>> = {
  'answers 500': { status: 500, code: 'InternalError' },
  'answers 503 SlowDown': { status: 503, code: 'SlowDown' },
  'answers 502 without an S3 document': { status: 502, body: '<html>bad gateway</html>' },
  'resets the connection': { cut: 'before' },
  'does it and resets the connection': { cut: 'after' },
  'never answers': { hang: 'before' },
  'does it and never answers': { hang: 'after' },
};
/** An answer that is cut in its body, for operations that have one. */
const TRUNCATED: Readonly<Record<string, Fault>> = { 'cuts its answer short': { truncate: 60 } };

const content = new TextEncoder().encode('PAR1 some bytes');
const fileOf = (id: string): Omit<PreparedFile, 'handle'> => ({
  key: `dt=2026-01-01/${id}-0.parquet`,
  bytes: content.length,
  rows: 1,
  crc32: checksum(content),
  kind: 'content',
});
const transactionOf = (id: string): Transaction => ({
  version: 1,
  id,
  pipeline: 'a',
  createdAt: '2026-01-01T00:00:00.000Z',
  reason: 'age',
  files: [],
  partitions: [],
});

let bucket: TestBucket;
beforeAll(async () => {
  bucket = await makeBucket();
});
afterAll(() => bucket.close());

/** A store behind a proxy of its own. */
async function behindProxy<Result>(
  work: (store: S3Store, proxy: FaultyS3) => Promise<Result>,
  changes = {},
): Promise<Result> {
  const proxy = await startFaultyS3(s3Endpoint());
  const config = bucket.config({ endpoint: proxy.url, idle_timeout: '250ms', ...changes });
  const store = createS3Store({ settle: 0, config });
  try {
    return await work(store, proxy);
  } finally {
    await store.close();
    await proxy.close();
  }
}

const when = (operation: string, fault: Fault) => (request: { operation: string }) =>
  request.operation === operation ? fault : undefined;

/** What must hold once a step has been asked for again. */
interface Step {
  readonly operation: string;
  readonly faults?: Readonly<Record<string, Fault>>;
  /** What is done before, without faults. */
  readonly before?: (store: S3Store, id: string) => Promise<PreparedFile | undefined>;
  readonly work: (store: S3Store, id: string, file: PreparedFile | undefined) => Promise<unknown>;
  readonly after: (store: S3Store, id: string, result: unknown) => Promise<void>;
}

const prepared = (store: S3Store, id: string) => store.prepare(fileOf(id), content);
const published = async (store: S3Store, id: string) => {
  const file = await prepared(store, id);
  await store.publish(file);
  return file;
};
const written = async (store: S3Store, id: string) => {
  await store.writeManifest(transactionOf(id));
  return undefined;
};
const readable = async (store: S3Store, id: string) => {
  expect(await store.read(fileOf(id).key)).toEqual(content);
};

const prepare = {
  work: (store: S3Store, id: string) => prepared(store, id),
  after: async (store: S3Store, id: string, result: unknown) => {
    expect(await store.read(fileOf(id).key)).toBeUndefined();
    await store.publish(result as PreparedFile);
    await readable(store, id);
  },
};
const publish = {
  before: prepared,
  work: (store: S3Store, _id: string, file: PreparedFile | undefined) => store.publish(file!),
  after: readable,
};
const finish = {
  before: written,
  work: (store: S3Store, id: string) => store.finish(transactionOf(id)),
  after: async (store: S3Store, id: string) => {
    expect(await store.readManifest(id)).toEqual({
      transaction: transactionOf(id),
      finished: true,
      undone: false,
    });
    expect(await bucket.keys()).not.toContain(`_sluice/pending/${id}.json`);
  },
};
const discard = {
  before: published,
  work: (store: S3Store, _id: string, file: PreparedFile | undefined) => store.discard([file!]),
  after: async (store: S3Store, id: string) => {
    expect(await store.read(fileOf(id).key)).toBeUndefined();
  },
};
const STEPS: Readonly<Record<string, Step>> = {
  'prepare, its upload': { operation: 'CreateMultipartUpload', faults: TRUNCATED, ...prepare },
  'prepare, its parts': { operation: 'UploadPart', ...prepare },
  'publish, its completion': { operation: 'CompleteMultipartUpload', faults: TRUNCATED, ...publish },
  'publish, its proof': { operation: 'HeadObject', ...publish },
  writeManifest: {
    operation: 'PutObject',
    work: (store, id) => store.writeManifest(transactionOf(id)),
    after: async (store, id) => {
      expect(await store.readManifest(id)).toEqual({
        transaction: transactionOf(id),
        finished: false,
        undone: false,
      });
      await expect(store.writeManifest({ ...transactionOf(id), reason: 'end' })).rejects.toMatchObject({
        name: 'StoreError',
      });
    },
  },
  readManifest: {
    operation: 'GetObject',
    faults: TRUNCATED,
    before: written,
    work: (store, id) => store.readManifest(id),
    after: async (_store, id, result) => {
      await Promise.resolve(
        expect(result).toEqual({ transaction: transactionOf(id), finished: false, undone: false }),
      );
    },
  },
  'finish, its proof': { operation: 'GetObject', ...finish },
  'finish, its removal': { operation: 'DeleteObject', ...finish },
  'discard, its abort': { operation: 'AbortMultipartUpload', ...discard },
  'discard, its removal': { operation: 'DeleteObject', ...discard },
  'transactions, its listing': {
    operation: 'ListObjectsV2',
    faults: TRUNCATED,
    before: written,
    work: (store) => store.transactions(),
    after: async (_store, id, result) => {
      await Promise.resolve(expect(result).toContainEqual({ id, finished: false }));
    },
  },
  'sweep, its listing of uploads': {
    operation: 'ListMultipartUploads',
    faults: TRUNCATED,
    work: (store) => store.sweep(new Set()),
    after: async (_store, _id, result) => {
      await Promise.resolve(expect(result).toBe(0));
    },
  },
};

describe('a store whose server fails', () => {
  let count = 0;
  for (const [name, { operation, faults, before, work, after }] of Object.entries(STEPS)) {
    it(`${name}: throws RetryableError, and does it when asked again`, async () => {
      await Promise.all(
        Object.entries({ ...FAULTS, ...faults }).map(([what, fault]) =>
          behindProxy(async (store, proxy) => {
            const id = `tx${count++}`;
            const file = await before?.(store, id);
            const earlier = proxy.requests.length;
            proxy.set(when(operation, fault));
            const outcome = await work(store, id, file).catch((error: unknown) => error);
            expect(outcome, what).toBeInstanceOf(RetryableError);
            expect((outcome as Error).message, what).toMatch(
              new RegExp(
                `^s3://${bucket.name}/.*: ${operation}( failed: |: no answer: |: the answer .status 404. broke off: )`,
              ),
            );
            // The SDK has tried three times by then.
            expect(
              proxy.requests.slice(earlier).filter((each) => each.operation === operation),
              what,
            ).toHaveLength(3);
            proxy.set();
            await after(store, id, await work(store, id, file));
          }),
        ),
      );
    });
  }

  it('is not noticed when it fails once', async () => {
    await behindProxy(async (store, proxy) => {
      proxy.set(({ earlier }) => (earlier === 0 ? { status: 500, code: 'InternalError' } : undefined));
      const file = await store.prepare(fileOf('once'), content);
      const transaction = { ...transactionOf('once'), files: [file] };
      await store.writeManifest(transaction);
      await store.publish(file);
      await store.finish(transaction);
      expect(await store.readManifest('once')).toMatchObject({ finished: true });
      await readable(store, 'once');
    });
  });

  it('is not noticed when only an answer is lost once', async () => {
    await behindProxy(async (store, proxy) => {
      proxy.set(({ earlier }) => (earlier === 0 ? { cut: 'after' } : undefined));
      const file = await store.prepare(fileOf('unheard'), content);
      const transaction = { ...transactionOf('unheard'), files: [file] };
      await store.writeManifest(transaction);
      await store.publish(file);
      await store.finish(transaction);
      expect(await store.readManifest('unheard')).toMatchObject({ finished: true });
      await readable(store, 'unheard');
      await store.discard([file]);
      expect(await store.read(file.key)).toBeUndefined();
    });
  });

  it('uploads again what somebody aborted under it', async () => {
    await behindProxy(async (store, proxy) => {
      proxy.set(when('UploadPart', { status: 404, code: 'NoSuchUpload' }));
      await expect(store.prepare(fileOf('gone'), content)).rejects.toThrow(RetryableError);
      proxy.set();
      await store.publish(await store.prepare(fileOf('gone'), content));
      await readable(store, 'gone');
    });
  });

  it('aborts what it could not upload', async () => {
    await behindProxy(async (store, proxy) => {
      const before = await bucket.uploads();
      proxy.set(when('UploadPart', { status: 500, code: 'InternalError' }));
      await expect(store.prepare(fileOf('aborted'), content)).rejects.toThrow(RetryableError);
      expect(await bucket.uploads()).toEqual(before);
    });
  });
});

describe('a publish that is only claimed', () => {
  const complete = (fault: Fault) => when('CompleteMultipartUpload', fault);
  const done =
    '<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"x-1"</ETag></CompleteMultipartUploadResult>';

  it('is tried again when 200 carries an error', async () => {
    await behindProxy(async (store, proxy) => {
      const file = await prepared(store, 'error200');
      const body =
        '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>try again</Message></Error>';
      proxy.set(complete({ status: 200, body }));
      await expect(store.publish(file)).rejects.toThrow(RetryableError);
      proxy.set();
      await store.publish(file);
      await readable(store, 'error200');
    });
  });

  it('is not believed when the object is not there', async () => {
    await behindProxy(async (store, proxy) => {
      const file = await prepared(store, 'claimed');
      proxy.set(complete({ status: 200, body: done }));
      const claimed = store.publish(file);
      await expect(claimed).rejects.toThrow(RetryableError);
      await expect(claimed).rejects.toThrow('answered with success, but the object is not there');
      proxy.set();
      await store.publish(file);
      await readable(store, 'claimed');
    });
  });

  it('is a lost file when neither the object nor the upload is there', async () => {
    await behindProxy(async (store, proxy) => {
      const file = await prepared(store, 'vanished');
      await bucket.abort(file.key, String(file.handle['upload']));
      proxy.set(complete({ status: 200, body: done }));
      await expect(store.publish(file)).rejects.toThrow(LostFileError);
      proxy.set();
      await expect(store.publish(file)).rejects.toThrow(
        `s3://${bucket.name}/${file.key}: expected 15 bytes of a committed transaction, got no object, and no upload ` +
          `${String(file.handle['upload'])} that could become it; check that no lifecycle rule`,
      );
    });
  });

  it('is a lost file when the object has another size', async () => {
    await behindProxy(async (store) => {
      const file = await published(store, 'shorter');
      await bucket.put(file.key, 'short');
      await expect(store.publish(file)).rejects.toThrow('got 5 bytes, and no upload');
    });
  });

  it('counts as done when the server has forgotten the upload and the object is right', async () => {
    await behindProxy(async (store, proxy) => {
      const file = await published(store, 'forgotten');
      for (const code of ['NoSuchUpload', 'InvalidPart']) {
        proxy.set(complete({ status: 404, code }));
        await store.publish(file);
      }
      await readable(store, 'forgotten');
    });
  });
});

describe('a finished manifest that is only claimed', () => {
  it('does not cost the manifest', async () => {
    await behindProxy(async (store, proxy) => {
      await store.writeManifest(transactionOf('copied'));
      proxy.set(when('PutObject', { status: 200, body: '' }));
      await expect(store.finish(transactionOf('copied'))).rejects.toThrow(RetryableError);
      expect(await store.readManifest('copied')).toMatchObject({ finished: false });
      proxy.set();
      await store.finish(transactionOf('copied'));
      expect(await store.readManifest('copied')).toMatchObject({ finished: true });
    });
  });
});
