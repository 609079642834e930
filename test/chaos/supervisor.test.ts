import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CrashPoint } from '../../src/archive/crash.ts';
import { scratch, writeConfig } from '../e2e/cli.ts';
import { judge } from './judge.ts';
import { createMessages } from './messages.ts';
import type { WrittenMessage } from './producer.ts';
import { runToEnd } from './run.ts';
import { superviseMembers } from './supervisor.ts';

const points: CrashPoint[] = ['before-manifest', 'after-commit', 'during-recovery'];

/** A member over a growing file and a directory: the supervisor and the judge, without a broker and without S3. */
it('kills a member at named points, at random and by SIGTERM, and restarts it; each message once', async () => {
  const directory = scratch();
  const logs = join(directory, 'logs');
  mkdirSync(logs);
  const input = join(directory, 'content.jsonl');
  writeFileSync(input, '');
  const record = join(directory, 'written.jsonl');
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['content.jsonl'] },
    classify: { model: 'drop', workers: 1 },
    archive: { store: { type: 'directory', path: './out' }, rotate: { age: '200ms' } },
  });
  const messageOf = createMessages({ seed: 9, customers: 5, partitions: 4, lateFrom: 1e9 });
  let index = 0;
  let offset = 0;
  const write = () => {
    for (let count = 0; count < 30; count++) {
      const { id, fate, customer, text, value, headers } = messageOf(index++);
      if (!value || fate === 'aborted' || 'customer' in headers) continue;
      const line: WrittenMessage = {
        id,
        partition: 0,
        offset: offset++,
        fate,
        customer,
        text,
        bytes: value.toString('base64'),
      };
      appendFileSync(record, `${JSON.stringify(line)}\n`);
      appendFileSync(input, Buffer.concat([value, Buffer.from('\n')]));
    }
  };
  const writer = setInterval(write, 50);
  const supervisor = superviseMembers({
    members: 1,
    config,
    logs,
    env: {},
    sessionTimeout: 500,
    restartDelay: 50,
  });
  onTestFinished(async () => {
    clearInterval(writer);
    await supervisor.abandon();
  });

  await supervisor.crash(points, 100_000);
  await supervisor.kill(0);
  await supervisor.rollingRestart();
  await supervisor.zombie(0);
  clearInterval(writer);
  const [stopped] = await supervisor.terminate();
  expect(stopped!.code, stopped!.last).toBe(0);
  const [finished] = await runToEnd({ members: 1, config, logs, env: {} });
  expect(finished!.code, finished!.last).toBe(0);

  for (const point of points) expect(supervisor.counts.crashes[point], point).toBeGreaterThanOrEqual(1);
  expect(supervisor.counts.kills).toBeGreaterThan(points.length);
  expect(supervisor.counts.zombies).toBe(1);
  expect(supervisor.surprises).toEqual([]);
  const judgement = await judge({
    root: join(directory, 'out'),
    record,
    partitions: [{ partition: 0, end: offset, markers: 0 }],
  });
  expect(judgement.violations).toEqual([]);
  expect(judgement.rows).toBeGreaterThan(100);
});
