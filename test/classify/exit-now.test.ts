import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const fixtures = join(import.meta.dirname, 'fixtures');

describe('a worker that hangs inside the model runtime', () => {
  it('is reported as HungError, and the process ends with its exit code, no signal, no core', () => {
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      [join(fixtures, 'hung-process.ts'), join(fixtures, 'hang'), '70'],
      { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' },
    );
    expect(stderr).toContain(
      'true HungError: score: expected an answer within 5 s, got none; then HungError, HungError, 0 outstanding',
    );
    expect([status, signal]).toEqual([70, null]);
  });
});
