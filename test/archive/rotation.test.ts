import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { archiveConfig } from '../../src/archive/config.ts';
import { dueIn, dueReason, hasRoom } from '../../src/archive/rotation.ts';

const config = archiveConfig.parse({
  rotate: { bytes: '1000B', rows: 100, age: '10s' },
  memory: '2000B',
});
const fill = { bytes: 10, rows: 1, since: 0, sealedBytes: 0 };

describe('a flush is due', () => {
  it.each([
    ['never', { ...fill, since: undefined, bytes: 9999 }, 1e9, undefined],
    ['not yet', fill, 9_999, undefined],
    ['age', fill, 10_000, 'age'],
    ['bytes', { ...fill, bytes: 1000 }, 0, 'bytes'],
    ['rows', { ...fill, rows: 100 }, 0, 'rows'],
    ['memory', { ...fill, sealedBytes: 1990 }, 0, 'memory'],
  ])('%s', (_name, buffered, now, reason) => {
    expect(dueReason(buffered, config, now)).toBe(reason);
  });

  it('after exactly the time that dueIn says, and no earlier', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), (since, passed) => {
        const buffered = { ...fill, since };
        const wait = dueIn(buffered, config, since + passed)!;
        expect(dueReason(buffered, config, since + passed + wait)).toBe('age');
        if (wait > 0) expect(dueReason(buffered, config, since + passed + wait - 1)).toBeUndefined();
      }),
    );
    expect(dueIn({ ...fill, since: undefined }, config, 5)).toBeUndefined();
  });

  it('whenever there is no room for more', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(3000), (bytes, sealedBytes) => {
        const buffered = { ...fill, bytes, sealedBytes };
        if (!hasRoom(buffered, config)) expect(dueReason(buffered, config, 0)).toBeDefined();
      }),
    );
  });
});
