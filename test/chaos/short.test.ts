import { expect, it } from 'vitest';
import { CRASH_POINTS } from '../../src/archive/crash.ts';
import { scratch } from '../e2e/cli.ts';
import { runChaos } from './run.ts';

const seed = Number(process.env['SLUICE_SEED'] ?? 1);

it('three members, every crash point, kills, zombies, a broker restart, S3 faults: each message once', async () => {
  const report = await runChaos({
    directory: scratch(),
    messages: 20_000,
    customers: 20,
    partitions: 6,
    seconds: 35,
    plan: {
      seed,
      members: 3,
      kills: 2,
      zombies: 2,
      rollingRestarts: 0,
      membersAdded: 1,
      brokerRestarts: 1,
      s3Restarts: 1,
      s3Faults: 3,
      clockJumps: 1,
    },
    sessionTimeout: 6000,
    rotateAge: '1s',
    onProgress: (line) => process.env['SLUICE_CHAOS_VERBOSE'] && console.log(line),
  });
  expect(report.failures, `seed ${seed}`).toEqual([]);
  expect(report.judgement.written).toBeGreaterThanOrEqual(20_000);
  expect(report.judgement.rows).toBeGreaterThan(18_000);
  expect(report.judgement.deadLetters).toBeGreaterThan(100);
  for (const point of CRASH_POINTS) expect(report.crashes[point], point).toBeGreaterThanOrEqual(1);
  expect(report.kills).toBeGreaterThanOrEqual(CRASH_POINTS.length + 2);
  expect(report.zombies).toBe(2);
}, 300_000);
