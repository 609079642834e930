import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWaitingNote } from '../src/waiting.ts';

describe('a command that waits', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('says so once, after some seconds', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const note = createWaitingNote();
    note(new Error('first'));
    vi.advanceTimersByTime(1_999);
    note(new Error('second'));
    expect(write).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    note(new Error('third'));
    note(new Error('fourth'));
    expect(write.mock.calls).toEqual([['waiting for an answer: third\n']]);
  });
});
