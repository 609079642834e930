import { expect, it } from 'vitest';
import { createEvents } from '../src/events.ts';
import { inputOf, rowOf, scoredOf } from './archive/rows.ts';
import { tallyOf } from '../src/archive/tally.ts';

it('rows are counted by language and action, and by languages that no model judges', async () => {
  const rows = [
    rowOf({ language: 'de-AT', action: 2, reasons: ['toxic'] }),
    rowOf({ language: 'de' }),
    rowOf({ language: null, action: 1, reasons: ['toxic'] }),
    rowOf({ language: 'sw', reasons: ['unsupported_language'] }),
    rowOf({ language: 'no language' }),
  ];
  const events = createEvents('silent');
  const { decoded, verdicts } = inputOf({ rows });
  const tally = tallyOf(decoded, verdicts, Int32Array.from(rows.keys()));
  events.batchScored(scoredOf({ rows }, { tally }));
  const text = await events.metrics.registry.metrics();
  const found = text.split('\n').filter((line) => /^sluice_(language|unsupported)/.test(line));
  expect(found.toSorted()).toEqual([
    'sluice_language_decisions_total{language="de",action="allow"} 1',
    'sluice_language_decisions_total{language="de",action="block"} 1',
    'sluice_language_decisions_total{language="other",action="allow"} 1',
    'sluice_language_decisions_total{language="sw",action="allow"} 1',
    'sluice_language_decisions_total{language="und",action="review"} 1',
    'sluice_unsupported_language_rows_total{language="sw"} 1',
  ]);
});
