import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ensureServices, removeServices, serviceStatus, stopService } from '../../scripts/services/index.ts';
import { isRunning } from '../../scripts/services/process.ts';
import { readState, writeState } from '../../scripts/services/state.ts';
import { scratch } from './scratch.ts';

it('a pid that another process got since is not killed', async () => {
  const directory = scratch();
  const stranger = spawn('sleep', ['60'], { detached: true });
  onTestFinished(() => void stranger.kill('SIGKILL'));
  await once(stranger, 'spawn');
  const ports = { redis: 20_001 };
  const process = { pid: stranger.pid!, started: 'the time at which another process had this pid' };
  await writeState(directory, 'redis', { ports, process });
  expect(await serviceStatus(['redis'], { directory })).toMatchObject([{ condition: 'dead' }]);
  await stopService('redis', { directory, signal: 'SIGKILL' });
  await writeState(directory, 'redis', { ports, process });
  expect(await removeServices(['redis'], { directory })).toEqual(['redis']);
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  expect(stranger.kill(0)).toBe(true);
});

it('the same pid with its own start is known, and killed', async () => {
  const directory = scratch();
  await ensureServices(['redis'], { directory });
  const { process } = (await readState(directory, 'redis'))!;
  expect(isRunning(process!)).toBe(true);
  await removeServices(['redis'], { directory });
  expect(isRunning(process!)).toBe(false);
});

it('a damaged state is an error that names the file', async () => {
  const directory = scratch();
  mkdirSync(join(directory, 'redis'));
  writeFileSync(join(directory, 'redis/state.json'), '{"ports":');
  await expect(serviceStatus(['redis'], { directory })).rejects.toThrow(join(directory, 'redis/state.json'));
  writeFileSync(join(directory, 'redis/state.json'), '{"ports":{},"process":null}');
});

it('an unknown service is refused with the nearest name', async () => {
  await expect(ensureServices(['kafak'])).rejects.toThrow('did you mean "kafka"?');
});
