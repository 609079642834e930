import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { classifyConfig } from '../src/classify/index.ts';
import { resolveClassify } from '../src/resolve-classify.ts';
import { writeVariant } from './classify/fixtures/variant.ts';
import { makeBucket, s3Endpoint } from './services/s3-bucket.ts';

it('keeps hash lists of S3 as long as somebody looks them up, and no longer for ever', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'sluice-cache-'));
  const bucket = await makeBucket();
  onTestFinished(async () => {
    rmSync(cache, { recursive: true });
    await bucket.close();
  });
  const config = classifyConfig.parse({
    model: 'drop',
    cache,
    hash_lists: { known: { file: `s3://${bucket.name}/list.txt`, action: 'block' } },
    s3: { endpoint: s3Endpoint(), path_style: true },
  });
  const look = async () => (await resolveClassify(config)).config.hash_lists['known']!.file;
  const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 3_600_000);

  await bucket.put('list.txt', 'a');
  const first = await look();
  expect(readFileSync(first, 'utf8')).toBe('a');
  utimesSync(first, daysAgo(30), daysAgo(30));
  expect(await look()).toBe(first);
  expect(statSync(first).mtimeMs).toBeGreaterThan(daysAgo(1).getTime());

  const part = `${first}.1.part`;
  writeFileSync(part, 'what a crash left');
  utimesSync(part, daysAgo(8), daysAgo(8));
  utimesSync(first, daysAgo(6), daysAgo(6));
  await bucket.put('list.txt', 'b');
  const second = await look();
  expect(
    readdirSync(join(cache, 'files'))
      .map((name) => join(cache, 'files', name))
      .toSorted(),
  ).toEqual([first, second].toSorted());
  utimesSync(first, daysAgo(8), daysAgo(8));
  await bucket.put('list.txt', 'c');
  const third = await look();
  expect(
    readdirSync(join(cache, 'files'))
      .map((name) => join(cache, 'files', name))
      .toSorted(),
  ).toEqual([second, third].toSorted());
});

it('sees that the folder beside a server has changed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-folder-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const folder = writeVariant(join(directory, 'model'));
  const triton = { url: 'http://localhost:1', model: 'm', folder };
  const config = classifyConfig.parse({ models: { far: { triton } } });
  const before = await resolveClassify(config);
  expect(before.config.models['far']!.triton).toMatchObject(triton);
  expect((await resolveClassify(config)).fingerprint).toBe(before.fingerprint);
  writeVariant(folder, { version: '2.0.0', labels: ['toxic', 'hate', 'scam'] });
  expect((await resolveClassify(config)).fingerprint).not.toBe(before.fingerprint);
});
