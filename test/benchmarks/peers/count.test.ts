import { existsSync, copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openServers, type Servers } from '../../../benchmarks/harness/servers.ts';
import { USUAL_TOPIC, fillTopic } from '../../../benchmarks/harness/topic.ts';
import { PEERS } from '../../../benchmarks/peers/index.ts';
import { countJob, openJob, runJob, startPeer, untilDone } from '../../../benchmarks/peers/run-job.ts';
import { createSluice } from '../../../benchmarks/peers/sluice/index.ts';

const MESSAGES = 3000;
const folder = new URL('../../../benchmarks/peers/', import.meta.url).pathname;
const sluice = createSluice();
let servers: Servers;
let topic: string;

beforeAll(async () => {
  servers = await openServers();
  topic = await fillTopic(servers.broker, { ...USUAL_TOPIC, messages: MESSAGES });
});
afterAll(() => servers?.close());

describe('peers', () => {
  it('fills a topic once', async () => {
    expect(await fillTopic(servers.broker, { ...USUAL_TOPIC, messages: MESSAGES })).toBe(topic);
    expect(topic).toContain(`${MESSAGES}x300`);
  });

  it('measures Sluice on a whole topic', async () => {
    const options = { servers, topic, messages: MESSAGES, flushRows: 1000 };
    const sample = await runJob(sluice, await sluice.install(), options);
    expect(sample).toMatchObject({ count: MESSAGES, lost: 0, twice: 0 });
    expect(sample.cpuSeconds).toBeGreaterThan(0.2);
    expect(sample.files).toBeGreaterThan(50);
    // Each file takes several requests: one to create it, one or more for its parts, one to complete it.
    expect(sample.requests).toBeGreaterThan(2 * sample.files!);
    expect(sample.bytesOut).toBeGreaterThan(10_000);
    expect(sample.peakRss).toBeGreaterThan(50_000_000);
    expect(sample.serverCpuSeconds).toBeGreaterThan(0);
  });

  it('sees rows that are missing, and rows that are there twice', async () => {
    const installed = await sluice.install();
    const job = await openJob(sluice, { servers, topic, messages: MESSAGES, flushRows: 1000 });
    try {
      await sluice.prepare!(job, installed);
      await untilDone(sluice, installed, job, startPeer(sluice, installed, job));
      expect(await countJob(sluice, installed, job)).toEqual({ rows: MESSAGES, lost: 0, twice: 0 });
      const [first, second] = job.bucket.list('.parquet');
      copyFileSync(first!.path, first!.path.replace('.parquet', '-again.parquet'));
      const doubled = await countJob(sluice, installed, job);
      expect(doubled).toEqual({ rows: MESSAGES + doubled.twice, lost: 0, twice: doubled.twice });
      expect(doubled.twice).toBeGreaterThan(0);
      rmSync(second!.path);
      expect((await countJob(sluice, installed, job)).lost).toBeGreaterThan(0);
      job.bucket.list('.parquet').forEach(({ path }) => rmSync(path));
      expect(await countJob(sluice, installed, job)).toEqual({ rows: 0, lost: MESSAGES, twice: 0 });
    } finally {
      job.remove();
    }
  });

  it('tells of each peer what was tuned, and has no others', () => {
    const folders = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
    expect(folders.toSorted()).toEqual(['sluice', ...PEERS.map(({ name }) => name)].toSorted());
    for (const name of folders) expect(existsSync(join(folder, name, 'README.md')), name).toBe(true);
  });
});
