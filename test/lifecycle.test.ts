import { describe, expect, it, vi } from 'vitest';
import { MisconfiguredError, RetryableError } from '../src/errors.ts';
import { patiently, stopDeadline, within } from '../src/lifecycle.ts';

describe('a start', () => {
  const unanswered = () =>
    new MisconfiguredError('nobody answers', { cause: new RetryableError('connection refused') });
  const setup = () => {
    const delays: string[] = [];
    const abort = new AbortController();
    return {
      delays,
      abort,
      options: { signal: abort.signal, onDelay: (error: Error) => delays.push(error.message) },
    };
  };

  it('waits for a server that does not answer yet', async () => {
    const { delays, options } = setup();
    let left = 1;
    await patiently(() => (left-- > 0 ? Promise.reject(unanswered()) : Promise.resolve()), options);
    expect(delays).toEqual(['nobody answers']);
  });

  it('ends at once when waiting cannot help', async () => {
    const { delays, options } = setup();
    await expect(
      patiently(() => Promise.reject(new MisconfiguredError('no such topic')), options),
    ).rejects.toThrow('no such topic');
    expect(delays).toEqual([]);
  });

  it('ends when it is stopped', async () => {
    const { delays, abort, options } = setup();
    const started = patiently(() => Promise.reject(unanswered()), options);
    started.catch(() => undefined);
    await vi.waitFor(() => expect(delays).toHaveLength(1));
    abort.abort(new RetryableError('stopped'));
    await expect(started).rejects.toThrow('stopped');
  });
});

describe('a stop', () => {
  it('gives up after its time, and says so', async () => {
    const abort = new AbortController();
    const given = vi.fn();
    const deadline = stopDeadline(abort.signal, 1, given);
    expect(deadline.error(undefined)).toBeUndefined();
    abort.abort();
    await vi.waitFor(() => expect(given).toHaveBeenCalledOnce());
    expect(deadline.error(new Error('503'))?.message).toMatch(/stop_timeout \(0\.001 s\).*: 503$/);
  });

  it('that ends in time has no error, whenever it was asked for', () => {
    for (const before of [true, false]) {
      const abort = new AbortController();
      if (before) abort.abort();
      const deadline = stopDeadline(abort.signal, 60_000, () => expect.unreachable());
      if (!before) abort.abort();
      deadline.clear();
      expect(deadline.error(undefined)).toBeUndefined();
    }
  });

  it('waits within a limit', async () => {
    await within(1, new Promise(() => undefined));
    await within(60_000, Promise.resolve());
    await expect(within(60_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
