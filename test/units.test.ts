import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duration, formatDuration } from '../src/units.ts';

describe('durations', () => {
  it('are written in the largest unit without a fraction', () => {
    expect([172_800_000, 90_000, 5_400_000, 3_600_000, 1_500, 0].map(formatDuration)).toEqual([
      '2d',
      '90s',
      '90m',
      '1h',
      '1500ms',
      '0ms',
    ]);
  });

  it('read back as they were', () => {
    const field = duration();
    fc.assert(fc.property(fc.nat(2 ** 31 - 1), (millis) => field.parse(formatDuration(millis)) === millis));
  });
});
