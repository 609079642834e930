import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MisconfiguredError } from '../../src/errors.ts';
import { readLabelledData } from '../../src/evaluate/labelled-data.ts';
import { withLocalData } from '../../src/evaluate/local-data.ts';
import { s3ConnectionConfig } from '../../src/s3-connection-config.ts';
import { makeBucket, s3Endpoint, type TestBucket } from '../services/s3-bucket.ts';

let bucket: TestBucket;
beforeAll(async () => {
  bucket = await makeBucket();
  await bucket.put('sets/test.csv', 'text,toxic\nhello,0\nyou fool,1\n');
});
afterAll(() => bucket.close());

const connection = () => s3ConnectionConfig.parse({ endpoint: s3Endpoint(), path_style: true });

it('labelled data in S3 are fetched, read, and removed', async () => {
  let file = '';
  const url = `s3://${bucket.name}/sets/test.csv`;
  const data = await withLocalData([url], connection(), async ([path]) => {
    file = path!;
    return await readLabelledData({ paths: [file], labels: ['toxic'] });
  });
  expect(data.text).toEqual(['hello', 'you fool']);
  expect(existsSync(dirname(file))).toBe(false);
});

it('a prefix and a missing object are told', async () => {
  const read = (key: string) =>
    withLocalData([`s3://${bucket.name}/${key}`], connection(), () => Promise.resolve());
  await expect(read('sets')).rejects.toThrow(
    /expected a file such as s3:\/\/bucket\/test\.parquet, got the prefix/,
  );
  await expect(read('sets/none.csv')).rejects.toThrow(MisconfiguredError);
});

it('local paths stay as they are', async () => {
  expect(await withLocalData(['a.csv', './out'], connection(), (paths) => Promise.resolve(paths))).toEqual([
    'a.csv',
    './out',
  ]);
});
