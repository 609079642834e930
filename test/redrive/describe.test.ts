import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../../src/redrive/describe.ts';
import { letterLine, letterText } from '../../src/redrive/describe-letter.ts';
import { planLine } from '../../src/redrive/describe-plan.ts';
import { createLetterCounts } from '../../src/redrive/counts.ts';
import { anyLetter, letterAt } from './letters.ts';

const UNSAFE = /[\p{Cc}\p{Cf}]/u;

describe('dead letters as text', () => {
  it('lets nothing of a message command a terminal', () => {
    const hostile = fc.constantFrom('\u001b[2J', '\u009b31m', '\u202e', '\r', '\u0007', '\u200b');
    fc.assert(
      fc.property(anyLetter, hostile, (letter, sequence) => {
        const named = { ...letter, detail: letter.detail + sequence, topic: `t${sequence}` };
        const bytes = Buffer.concat([letter.bytes, Buffer.from(sequence)]);
        const shown = letterText({ ...named, bytes, key: bytes, headers: { [sequence]: bytes } }, undefined);
        expect(shown.replaceAll(/[\n\t]/g, '')).not.toMatch(UNSAFE);
        expect(letterLine(named, { at: sequence, to: sequence })).not.toMatch(UNSAFE);
        const kept = { kind: 'kept', reason: 'not_read', detail: sequence } as const;
        expect(planLine(named, kept)).not.toMatch(UNSAFE);
      }),
    );
  });

  it('shows text as text, and what is none in hexadecimal', () => {
    expect(letterText(letterAt(1, { bytes: Buffer.from('{"text":"grüß dich 👋"}\n') }), undefined)).toMatch(
      /\nbytes: \d+\n\n\{"text":"grüß dich 👋"\}\n$/,
    );
    expect(letterText(letterAt(1, { bytes: Buffer.from([0xff, 0x41, 0x00]) }), undefined)).toContain(
      '\n\n00000000  ff 41 00                                         .A.',
    );
    expect(printable('a\u0000b')).toBe('a\\u{0}b');
  });

  it('counts letters that are alike, latest day first', () => {
    const counts = createLetterCounts();
    const early = Date.parse('2026-02-01T23:59:59Z');
    counts.add(letterAt(1, { receivedAt: early }), true);
    for (const offset of [2, 3]) counts.add(letterAt(offset), offset === 3);
    counts.add(letterAt(4, { stage: 'deliver', headers: { 'sluice-sink': Buffer.from('s') } }), false);
    expect(counts.groups().map(({ day, sink, letters, redriven }) => [day, sink, letters, redriven])).toEqual(
      [
        ['2026-03-02', null, 2, 1],
        ['2026-03-02', 's', 1, 0],
        ['2026-02-01', null, 1, 1],
      ],
    );
  });
});
