import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveModelFolder } from '../../src/classify/model-source.ts';
import { createObjectFiles, type ObjectFiles } from '../../src/object-files.ts';
import { s3ConnectionConfig } from '../../src/s3-connection-config.ts';
import { startFaultyS3, type FaultyS3 } from '../services/faulty-s3.ts';
import { makeBucket, s3Endpoint, type TestBucket } from '../services/s3-bucket.ts';

let directory: string;
let cache: string;
let bucket: TestBucket;
let proxy: FaultyS3;
let files: ObjectFiles;
beforeAll(async () => {
  bucket = await makeBucket();
  proxy = await startFaultyS3(s3Endpoint());
});
afterAll(async () => {
  await proxy.close();
  await bucket.close();
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-versions-'));
  cache = join(directory, 'cache');
  proxy.set(() => undefined);
  files = createObjectFiles(s3ConnectionConfig.parse({ endpoint: proxy.url, path_style: true }));
});
afterEach(async () => {
  files.close();
  for (const key of await bucket.keys()) await bucket.remove(key);
  rmSync(directory, { recursive: true });
});

/** A place for models: a directory, or a prefix of a bucket. */
interface Place {
  readonly model: () => string;
  readonly put: (name: string, content: string) => Promise<void> | void;
  readonly remove: (name: string) => Promise<void> | void;
}
const places: Record<string, Place> = {
  'a directory': {
    model: () => join(directory, 'models'),
    put(name, content) {
      mkdirSync(dirname(join(directory, 'models', name)), { recursive: true });
      writeFileSync(join(directory, 'models', name), content);
    },
    remove: (name) => rmSync(join(directory, 'models', name)),
  },
  'a prefix of a bucket': {
    model: () => `s3://${bucket.name}/models`,
    put: (name, content) => bucket.put(`models/${name}`, content),
    remove: (name) => bucket.remove(`models/${name}`),
  },
};
const CONTENT = { 'config.json': '{}', 'onnx/model.onnx': 'weights' };
const digestOf = (content: string) => createHash('sha256').update(content).digest('hex');
const manifest = (version: string, content: Record<string, string>) =>
  [
    'name: toxicity',
    `version: "${version}"`,
    ...(Object.keys(content).length > 0 ? ['files:'] : []),
    ...Object.entries(content).map(([name, text]) => `  ${name}: "${digestOf(text)}"`),
  ].join('\n');
const publish = async (place: Place, folder: string, content: Record<string, string> = CONTENT) => {
  for (const [name, text] of Object.entries(content)) await place.put(`${folder}/${name}`, text);
  await place.put(`${folder}/sluice.yaml`, manifest(folder, content));
};
const resolve = (place: Place, version = 'newest') =>
  resolveModelFolder({ model: place.model(), version }, { files, cache });

describe.each(Object.entries(places))('%s with versions', (_name, place) => {
  const versionIn = (path: string) =>
    /version: "(.+)"/.exec(readFileSync(join(path, 'sluice.yaml'), 'utf8'))?.[1];

  it('gives the newest, or the one asked for', async () => {
    for (const version of ['1.9.0', '1.10.0', '2.0.0-rc.1']) await publish(place, version);
    const newest = await resolve(place);
    expect(versionIn(newest.path)).toBe('1.10.0');
    expect(readFileSync(join(newest.path, 'onnx/model.onnx'), 'utf8')).toBe('weights');
    expect(versionIn((await resolve(place, '1.9.0')).path)).toBe('1.9.0');
    expect(versionIn((await resolve(place, '2.0.0-rc.1')).path)).toBe('2.0.0-rc.1');
  });

  it('is the same until there is a newer one', async () => {
    await publish(place, '1.0.0');
    const first = await resolve(place);
    expect(await resolve(place)).toEqual(first);
    await publish(place, '1.0.1');
    const second = await resolve(place);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    expect(versionIn(second.path)).toBe('1.0.1');
  });

  it('does not count a version before its manifest and all its files are there', async () => {
    await publish(place, '1.0.0');
    await place.put('2.0.0/config.json', '{}');
    expect(versionIn((await resolve(place)).path)).toBe('1.0.0');
    await place.put('2.0.0/sluice.yaml', manifest('2.0.0', CONTENT));
    expect(versionIn((await resolve(place)).path)).toBe('1.0.0');
    await expect(resolve(place, '2.0.0')).rejects.toThrow(
      /models: expected a complete version, got 2\.0\.0\/onnx\/model\.onnx is missing$/,
    );
    await place.put('2.0.0/onnx/model.onnx', 'weights');
    expect(versionIn((await resolve(place)).path)).toBe('2.0.0');
  });

  it('says what there is instead', async () => {
    await place.put('README.md', '');
    await expect(resolve(place)).rejects.toThrow(
      /models: expected (a model folder or folders of its versions, got nothing|sluice\.yaml in the folder of each version, got none)/,
    );
    await publish(place, '1.0.0');
    await expect(resolve(place, '3')).rejects.toThrow(/models: expected version 3, got 1\.0\.0$/);
    await place.put('1.0.0/sluice.yaml', 'name: toxicity\nversion: "1.0.0"');
    await expect(resolve(place)).rejects.toThrow(
      /expected a complete version, got 1\.0\.0\/sluice\.yaml names no files: write their checksums by `sluice model manifest`$/,
    );
    await place.put('1.0.0/sluice.yaml', manifest('1.0.1', CONTENT));
    await expect(resolve(place)).rejects.toThrow(
      /models\/1\.0\.0\/sluice\.yaml: version: expected 1\.0\.0, got 1\.0\.1$/,
    );
    await place.put('1.0.0/sluice.yaml', 'name: [');
    await expect(resolve(place)).rejects.toThrow(/models\/1\.0\.0\/sluice\.yaml: expected YAML, got /);
    await place.remove('1.0.0/sluice.yaml');
    await expect(resolve(place)).rejects.toThrow(
      /expected sluice\.yaml in the folder of each version, got none/,
    );
  });
});

describe('a directory', () => {
  const place = places['a directory']!;

  it('that is a model is taken as it is, with or without a manifest', async () => {
    await place.put('config.json', '{}');
    const before = await resolve(place);
    expect(before.path).toBe(place.model());
    expect(await resolve(place)).toEqual(before);
    await place.put('config.json', '{"changed": true}');
    expect((await resolve(place)).fingerprint).not.toBe(before.fingerprint);
  });

  it('that is a model is refused when it is not the version asked for', async () => {
    await place.put('config.json', '{}');
    await expect(resolve(place, '1')).rejects.toThrow(/models\/sluice\.yaml: version: expected 1, got none$/);
    await place.put('sluice.yaml', manifest('2', {}));
    await expect(resolve(place, '1')).rejects.toThrow(/models\/sluice\.yaml: version: expected 1, got 2$/);
    expect((await resolve(place, '2')).path).toBe(place.model());
  });

  it('that is none is left to who reads it', async () => {
    writeFileSync(join(directory, 'models'), '');
    expect((await resolve(place)).path).toBe(place.model());
    rmSync(join(directory, 'models'));
  });
});

describe('a prefix of a bucket', () => {
  const place = places['a prefix of a bucket']!;
  const gets = () => proxy.requests.filter(({ operation }) => operation === 'GetObject').length;

  it('that is a model itself is the only version', async () => {
    for (const [name, text] of Object.entries(CONTENT)) await place.put(name, text);
    await place.put('sluice.yaml', manifest('7', CONTENT));
    expect(readdirSync((await resolve(place)).path).toSorted()).toEqual([
      'config.json',
      'onnx',
      'sluice.yaml',
    ]);
    expect((await resolve(place, '7')).path).toBe((await resolve(place)).path);
    await expect(resolve(place, '8')).rejects.toThrow(/sluice\.yaml: version: expected 8, got 7$/);
  });

  it('is downloaded once', async () => {
    await publish(place, '1.0.0');
    await resolve(place);
    const before = gets();
    await resolve(place);
    expect(gets() - before).toBe(1);
  });

  it('is downloaded by several processes at once, and is there for all', async () => {
    await publish(place, '1.0.0');
    const paths = await Promise.all([resolve(place), resolve(place), resolve(place)]);
    expect(new Set(paths.map(({ path }) => path)).size).toBe(1);
    expect(readdirSync(dirname(paths[0].path))).toHaveLength(1);
  });

  it('with a file of another checksum is refused, and leaves nothing behind', async () => {
    await publish(place, '1.0.0');
    await place.put('1.0.0/onnx/model.onnx', 'damaged');
    await expect(resolve(place)).rejects.toMatchObject({
      name: 'MisconfiguredError',
      message: `s3://${bucket.name}/models/1.0.0/onnx/model.onnx: expected sha256 ${digestOf('weights')}, got ${digestOf('damaged')}`,
    });
    expect(
      readdirSync(join(cache, 'models'), { recursive: true }).filter((n) => String(n).includes('1.0.0')),
    ).toEqual([]);
  });

  it('with a file of another checksum is downloaded again when it changed, not before', async () => {
    await publish(place, '1.0.0');
    await place.put('1.0.0/onnx/model.onnx', 'damaged');
    await expect(resolve(place)).rejects.toThrow('expected sha256');
    const before = gets();
    await expect(resolve(place)).rejects.toThrow('expected sha256');
    expect(gets() - before).toBe(1);
    await place.put('1.0.0/onnx/model.onnx', 'weights');
    expect(readFileSync(join((await resolve(place)).path, 'onnx/model.onnx'), 'utf8')).toBe('weights');
  });

  it('is taken from the cache while S3 does not answer', async () => {
    await publish(place, '1.0.0');
    await publish(place, '1.10.0');
    const pinned = await resolve(place, '1.0.0');
    const newest = await resolve(place);
    proxy.set(() => ({ status: 503, code: 'SlowDown' }));
    expect(await resolve(place)).toEqual({ ...newest, offline: expect.stringContaining('SlowDown') });
    expect(await resolve(place, '1.0.0')).toMatchObject(pinned);
    await expect(resolve(place, '3.0.0')).rejects.toMatchObject({ name: 'RetryableError' });
  });

  it('that is a model itself is taken from the cache only as the version asked for', async () => {
    await place.put('config.json', '{}');
    await place.put('sluice.yaml', manifest('1.0.0', { 'config.json': '{}' }));
    const { path } = await resolve(place, '1.0.0');
    proxy.set(() => ({ status: 503, code: 'SlowDown' }));
    expect(await resolve(place, 'v1.0.0')).toMatchObject({ path });
    await expect(resolve(place, '2.0.0')).rejects.toMatchObject({ name: 'RetryableError' });
  });

  it('is not taken from the cache when S3 refuses', async () => {
    await publish(place, '1.0.0');
    await resolve(place);
    proxy.set(() => ({ status: 403, code: 'AccessDenied' }));
    await expect(resolve(place)).rejects.toMatchObject({
      name: 'MisconfiguredError',
      message: expect.stringContaining('allow s3:ListBucket'),
    });
  });

  it('leaves the versions used lately in the cache, and removes older ones', async () => {
    const paths: string[] = [];
    for (const version of ['1', '2', '3', '4', '5']) {
      await publish(place, version);
      paths.push((await resolve(place)).path);
    }
    expect(readdirSync(dirname(paths[0]!))).toHaveLength(5);
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    for (const path of paths.slice(0, 3)) utimesSync(path, yesterday, yesterday);
    mkdirSync(join(dirname(paths[0]!), 'abandoned.part'));
    utimesSync(join(dirname(paths[0]!), 'abandoned.part'), yesterday, yesterday);
    const { path } = await resolve(place);
    expect(path).toBe(paths[4]);
    const left = readdirSync(dirname(path)).map((name) => name.split('-')[0]);
    expect(left).toContain('4');
    expect(left).toContain('5');
    expect(left).toHaveLength(3);
  });
});
