import { describe, expect, it } from 'vitest';
import { labelOf, parseOffsets, parseTime, withinTopic } from '../src/replay-range.ts';

const beginnings = [{ topic: 'a.b', partition: 0, offset: 10 }];
const ends = [{ topic: 'a.b', partition: 0, offset: 100 }];

describe('the range of a replay', () => {
  it('is written as topic:partition=first[-last]', () => {
    expect(parseOffsets('a.b:0=10-19, c:3=7')).toEqual([
      { topic: 'a.b', partition: 0, from: 10, to: 20 },
      { topic: 'c', partition: 3, from: 7, to: NaN },
    ]);
  });

  it.each(['', 'a', 'a:0', 'a:0=', 'a:0=5-', 'a:0=-1', 'a:x=1', 'a:0=1;b:0=1', 'a:0=9-8', 'a:0=1,a:0=5'])(
    'refuses %j in one line',
    (text) => expect(() => parseOffsets(text)).toThrow(/^--from-offsets: expected [^\n]*, got [^\n]*$/),
  );

  it('ends at the end of the topic, and lies within it', () => {
    expect(withinTopic(parseOffsets('a.b:0=10'), beginnings, ends)).toEqual([
      { topic: 'a.b', partition: 0, from: 10, to: 100 },
    ]);
    expect(withinTopic(parseOffsets('a.b:0=10-99'), beginnings, ends)[0]!.to).toBe(100);
    for (const [text, problem] of [
      ['a.b:0=9-20', 'a.b:0: expected offsets from 10 on (older messages have expired), got 9'],
      ['a.b:0=20-100', 'a.b:0: expected offsets up to 99, the last one that there is, got 100'],
      ['a.b:0=101', 'a.b:0: expected offsets up to 99, the last one that there is, got 101'],
      ['a.b:1=0', '--from-offsets: expected a partition that there is, got a.b:1'],
    ] as const)
      expect(() => withinTopic(parseOffsets(text), beginnings, ends)).toThrow(problem);
  });

  it('takes ISO 8601 times', () => {
    expect(parseTime('--from-time', '2026-01-31')).toBe(Date.UTC(2026, 0, 31));
    expect(parseTime('--from-time', '2026-01-31T12:00:00+02:00')).toBe(Date.UTC(2026, 0, 31, 10));
    for (const text of ['', 'now', '31.1.2026', '2026-13-01'])
      expect(() => parseTime('--to-time', text)).toThrow('--to-time: expected a date such as');
  });

  it('gives the same name to the same request', () => {
    expect(labelOf({ fromOffsets: 'a.b:0=10-19' })).toBe('a-b-0-10-19');
    expect(labelOf({ fromTime: '2026-01-31T12:00:00Z', toTime: '2026-02-01' })).toBe(
      '2026-01-31t12-00-00z-to-2026-02-01',
    );
  });
});
