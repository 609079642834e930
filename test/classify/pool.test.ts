import { afterEach, describe, expect, it } from 'vitest';
import { createPool, type Pool, type PoolOptions } from '../../src/classify/index.ts';
import { isOperational, MisconfiguredError, RetryableError, WorkerDiedError } from '../../src/errors.ts';

const filename = new URL('./fixtures/worker.ts', import.meta.url);
const pools: Pool[] = [];
const start = (options: Partial<PoolOptions> = {}) => {
  const pool = createPool({ filename, workers: 2, timeLimit: 60_000, ...options });
  pools.push(pool);
  return pool;
};
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => (error instanceof Error ? error : expect.unreachable()),
  );
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});

describe('createPool', () => {
  it('runs named tasks, moving what goes in and what comes out', async () => {
    const numbers = Float64Array.of(1, 2, 3);
    const doubled = start().run<Float64Array>('double', numbers, [numbers.buffer]);
    expect(numbers).toHaveLength(0);
    expect(await doubled).toEqual(Float64Array.of(2, 4, 6));
  });

  it('gives every worker the data, and uses all workers', async () => {
    const pool = start({ workerData: { model: 'm' } });
    expect(await pool.run('data_', null)).toEqual({ model: 'm' });
    // Each task waits until the other has begun: only two threads can answer.
    const meeting = new Int32Array(new SharedArrayBuffer(4));
    const threads = await Promise.all([pool.run('meet', meeting), pool.run('meet', meeting)]);
    expect(new Set(threads).size).toBe(2);
  });

  it("passes on a task's error with its class, name and message, and keeps the worker", async () => {
    const pool = start({ workers: 1 });
    const thread = await pool.run('thread', null);
    const misconfigured = await failure(pool.run('fail', 'MisconfiguredError'));
    expect(misconfigured).toBeInstanceOf(MisconfiguredError);
    expect(isOperational(misconfigured)).toBe(true);
    expect(misconfigured.message).toBe('expected this, got that');
    expect(misconfigured.stack).toContain('worker.ts');
    expect(await failure(pool.run('fail', 'RangeError'))).toMatchObject({
      name: 'RangeError',
      message: 'out of range',
    });
    expect(await failure(pool.run('fail', 'string'))).toMatchObject({ name: 'Error', message: 'just words' });
    expect(await pool.run('thread', null)).toBe(thread);
  });

  it('calls a task that does not exist a bug, not a death', async () => {
    const error = await failure(start().run('nonsense', null));
    expect(error).not.toBeInstanceOf(WorkerDiedError);
    expect(error.message).toContain('No handler function');
  });

  it.each([
    ['exit', /^die: worker exited with code: 3$/],
    ['uncaught', /^die: nobody catches this$/],
    ['memory', /^die: Worker terminated due to reaching memory limit/],
  ])('rejects with WorkerDiedError when the worker dies by %s, and replaces it', async (how, message) => {
    const pool = start({ workers: 1, resourceLimits: { maxOldGenerationSizeMb: 40 } });
    const thread = await pool.run('thread', null);
    const error = await failure(pool.run('die', how));
    expect(error).toBeInstanceOf(WorkerDiedError);
    expect(error.message).toMatch(message);
    expect(await pool.run('thread', null)).not.toBe(thread);
  });

  it('keeps the tasks that waited behind a deadly one', async () => {
    const pool = start();
    const results = await Promise.allSettled([
      pool.run('die', 'exit'),
      pool.run('die', 'uncaught'),
      ...Array.from({ length: 6 }, () => pool.run('spin', 5)),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      ...Array.from({ length: 6 }, () => 'fulfilled'),
    ]);
  });

  it('fails instead of waiting forever when no worker can start', async () => {
    const broken = new SharedArrayBuffer(4);
    const pool = start({ workers: 1, workerData: { broken } });
    await pool.run('thread', null);
    Atomics.store(new Int32Array(broken), 0, 1);
    const [first, second] = await Promise.all([
      failure(pool.run('die', 'exit')),
      failure(pool.run('thread', null)),
    ]);
    expect(first).toBeInstanceOf(WorkerDiedError);
    // No fault of the task: nothing that retries or halves batches may blame messages for it.
    expect(second).toBeInstanceOf(RetryableError);
    expect(second.message).toContain('the worker file is broken');
    expect(await failure(pool.run('thread', null))).toBeInstanceOf(RetryableError);
  });

  it('closes only after all accepted tasks have answered', async () => {
    const pool = start();
    const answers = Array.from({ length: 5 }, () => pool.run('spin', 50));
    expect(pool.outstanding()).toBe(5);
    const closed = pool.close().then(() => 'closed');
    await expect(pool.run('thread', null)).rejects.toThrow('thread: expected an open pool, got a closed one');
    expect(await Promise.race([closed, Promise.all(answers)])).toEqual(
      Array.from({ length: 5 }, () => 'done'),
    );
    expect(await closed).toBe('closed');
    expect(pool.outstanding()).toBe(0);
  });
});
