import { expect, it } from 'vitest';
import { scratch } from '../e2e/cli.ts';
import { runOutage } from './outage.ts';

const seed = Number(process.env['SLUICE_SEED'] ?? 1);

it('S3 killed for a while: the source pauses, membership stays, it resumes by itself, each message once', async () => {
  const report = await runOutage({
    directory: scratch(),
    seed,
    members: 2,
    partitions: 4,
    customers: 10,
    speed: 1500,
    seconds: 12,
    sessionTimeout: 6000,
    rotateAge: '1s',
    memory: '1MiB',
    onProgress: (line) => process.env['SLUICE_CHAOS_VERBOSE'] && console.log(line),
  });
  expect(report.failures, `seed ${seed}`).toEqual([]);
}, 300_000);
