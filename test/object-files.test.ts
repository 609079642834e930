import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createObjectFiles, isObjectUrl, parseObjectUrl, type ObjectFiles } from '../src/object-files.ts';
import { s3ConnectionConfig } from '../src/s3-connection-config.ts';
import { startFaultyS3, type FaultyS3 } from './services/faulty-s3.ts';
import { makeBucket, s3Endpoint, type TestBucket } from './services/s3-bucket.ts';

describe('an address of an object', () => {
  it('has a bucket and a key', () => {
    expect(isObjectUrl('s3://models/a')).toBe(true);
    expect(isObjectUrl('/srv/s3://models')).toBe(false);
    expect(parseObjectUrl('s3://models/toxicity/1.0/config.json')).toEqual({
      bucket: 'models',
      key: 'toxicity/1.0/config.json',
    });
    expect(parseObjectUrl('s3://models')).toEqual({ bucket: 'models', key: '' });
  });

  it.each(['s3://', 's3:///a', 's3://b', 'http://models/a'])('%s is none', (url) => {
    expect(() => parseObjectUrl(url)).toThrow(
      `expected an address such as s3://bucket/models/toxicity, got ${url}`,
    );
  });
});

describe('objects as files', () => {
  let bucket: TestBucket;
  let proxy: FaultyS3;
  let files: ObjectFiles;
  let directory: string;
  const at = (key: string) => `s3://${bucket.name}/${key}`;
  beforeAll(async () => {
    bucket = await makeBucket();
    proxy = await startFaultyS3(s3Endpoint());
    await bucket.put('models/toxicity/config.json', '{}');
    await bucket.put('models/toxicity/onnx/model.onnx', 'weights');
    await bucket.put('models/toxicity-other/config.json', '{"other": true}');
    await bucket.put('policies.yaml', 'default: { name: größer }');
    await bucket.put('empty', '');
  });
  afterAll(async () => {
    await proxy.close();
    await bucket.close();
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-objects-'));
    proxy.set(() => undefined);
    files = createObjectFiles(s3ConnectionConfig.parse({ endpoint: proxy.url, path_style: true }));
  });
  afterEach(() => {
    files.close();
    rmSync(directory, { recursive: true });
  });

  it('reads a text', async () => {
    expect(await files.readText(at('policies.yaml'))).toBe('default: { name: größer }');
    expect(await files.readText(at('empty'))).toBe('');
  });

  it('downloads the same object to the same file twice at once: processes in containers have the same id', async () => {
    const file = join(directory, 'list');
    await Promise.all([1, 2, 3].map(() => files.download(at('policies.yaml'), file)));
    expect(readFileSync(file, 'utf8')).toBe('default: { name: größer }');
    expect(readdirSync(directory)).toEqual(['list']);
  });

  it('tells when the content changed', async () => {
    await bucket.put('list', 'a');
    const before = await files.etagOf(at('list'));
    expect(before).toMatch(/./);
    expect(await files.etagOf(at('list'))).toBe(before);
    await bucket.put('list', 'b');
    expect(await files.etagOf(at('list'))).not.toBe(before);
    expect(await files.etagOf(at('nothing'))).toBeUndefined();
  });

  it('lists a folder, not what only begins like it', async () => {
    const names = (await files.list(at('models/toxicity'))).map(({ name, bytes }) => [name, bytes]);
    expect(names).toEqual([
      ['config.json', 2],
      ['onnx/model.onnx', 7],
    ]);
    expect(await files.list(at('models/toxicity/'))).toHaveLength(2);
    expect(await files.list(at('models/nothing'))).toEqual([]);
  });

  it('downloads a folder, or some of it', async () => {
    await files.downloadAll(at('models/toxicity'), join(directory, 'all'));
    expect(readFileSync(join(directory, 'all/onnx/model.onnx'), 'utf8')).toBe('weights');
    await files.downloadAll(at('models/toxicity'), join(directory, 'some'), ['config.json']);
    expect(readdirSync(join(directory, 'some'))).toEqual(['config.json']);
    await files.download(at('empty'), join(directory, 'empty'));
    expect(readFileSync(join(directory, 'empty'), 'utf8')).toBe('');
  });

  it('writes nothing outside of the folder', async () => {
    await expect(files.downloadAll(at('models'), directory, ['../secret'])).rejects.toThrow(
      /models\/: expected names of files below it, got "\.\.\/secret"$/,
    );
    await expect(files.downloadAll(at('models'), directory, ['/etc/passwd'])).rejects.toThrow(
      'expected names',
    );
  });

  it('says what is not there', async () => {
    for (const refused of [
      files.readText(at('nothing')),
      files.download(at('nothing'), join(directory, 'nothing')),
    ]) {
      await expect(refused).rejects.toMatchObject({
        name: 'MisconfiguredError',
        message: `${at('nothing')}: expected an object, got nothing`,
      });
    }
    expect(readdirSync(directory)).toEqual([]);
    await expect(files.readText('s3://no-such-bucket-here/key')).rejects.toMatchObject({
      name: 'MisconfiguredError',
      message: expect.stringMatching(
        /^s3:\/\/no-such-bucket-here\/key: GetObject failed: NoSuchBucket .+; create the bucket, or correct the s3:\/\/ address \(and classify\.s3\.endpoint\)$/,
      ),
    });
  });

  it('leaves no half of a download behind that was cut', async () => {
    await bucket.put('large', 'x'.repeat(1_000_000));
    proxy.set(({ operation }) => (operation === 'GetObject' ? { truncate: 1000 } : undefined));
    await expect(files.download(at('large'), join(directory, 'large'))).rejects.toMatchObject({
      name: 'RetryableError',
    });
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says when there is no room', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(files.download(at('policies.yaml'), join(directory, 'file/below'))).rejects.toMatchObject({
      name: 'InputError',
      message: expect.stringMatching(/file\/below: expected room for a download, got E/),
    });
  });

  it('names the permission and the setting', async () => {
    proxy.set(({ operation }) =>
      operation === 'GetObject' ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    await expect(files.readText(at('policies.yaml'))).rejects.toMatchObject({
      name: 'MisconfiguredError',
      message: expect.stringMatching(/AccessDenied \(403, .+; allow s3:GetObject on arn:aws:s3:::test-/),
    });
    proxy.set(() => ({ status: 503, code: 'SlowDown' }));
    await expect(files.readText(at('policies.yaml'))).rejects.toMatchObject({ name: 'RetryableError' });
  });
});
