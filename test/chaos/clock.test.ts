import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { scratch } from '../e2e/cli.ts';
import { createClock } from './clock.ts';

it('moves the wall clock of a running process, and only that', async () => {
  const clock = await createClock(join(scratch(), 'clock'));
  const program = `process.stdin.on('data', () => console.log(Date.now() - performance.timeOrigin - performance.now()))`;
  const child = spawn(process.execPath, ['-e', program], {
    env: { ...process.env, ...clock.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  const ahead = async () => {
    child.stdin.write('?');
    const [line] = (await once(lines, 'line')) as [string];
    return Math.round(Number(line) / 60_000) + 0;
  };
  expect(await ahead()).toBe(0);
  clock.set(3 * 3600);
  expect(await ahead()).toBe(180);
  clock.set(-3600);
  expect(await ahead()).toBe(-60);
}, 120_000);
