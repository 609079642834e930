import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readable } from '../report/table.ts';
import { judge, type Judgement } from './judge.ts';
import { openRatios } from './ratios.ts';

const FILE = join(import.meta.dirname, 'expected.json');
const ROUNDS = 5;
/** A stage that looks slower is looked at again so often: a regression stays, a busy second does not. */
const SECOND_LOOKS = 4;

const expectedSchema = z.strictObject({
  tolerance: z.number().positive().max(1),
  stages: z.record(z.string(), z.strictObject({ reference: z.string(), ratio: z.number().positive() })),
});

/**
 * Compares the stages with their references in this very run, and the ratios with those in expected.json. Resolves with
 * whether none has become slower by more than the tolerance. `update`: writes the ratios down instead.
 */
export async function runGate({ update }: { readonly update: boolean }): Promise<boolean> {
  const expected = expectedSchema.parse(JSON.parse(readFileSync(FILE, 'utf8')));
  const stages = Object.entries(expected.stages);
  const namesOf = (wanted: readonly string[]) => [
    ...new Set(wanted.flatMap((name) => [expected.stages[name]!.reference, name])),
  ];
  const all = namesOf(Object.keys(expected.stages));
  const ratios = await openRatios(all);
  const measured = () => new Map(stages.map(([name, { reference }]) => [name, ratios.of(name, reference)]));
  try {
    for (let round = 0; round < ROUNDS; round++) await ratios.round(all);
    if (update) {
      const found = measured();
      const written = stages.map(([name, { reference }]) => {
        const ratio = Number(found.get(name)!.toPrecision(3));
        return [name, { reference, ratio }] as const;
      });
      const content = { tolerance: expected.tolerance, stages: Object.fromEntries(written) };
      writeFileSync(FILE, `${JSON.stringify(content, undefined, 2)}\n`);
      return true;
    }
    let judgements = judge(measured(), expected.stages, expected.tolerance);
    for (let look = 0; look < SECOND_LOOKS && judgements.some(isSlower); look++) {
      const slower = namesOf(judgements.filter(isSlower).map(({ name }) => name));
      for (let round = 0; round < ROUNDS; round++) await ratios.round(slower);
      judgements = judge(measured(), expected.stages, expected.tolerance);
    }
    for (const each of judgements) console.log(line(each, expected.stages[each.name]!.reference));
    if (judgements.some(({ verdict }) => verdict === 'faster'))
      console.log('Faster than expected: `npm run bench -- gate --update` keeps that.');
    return !judgements.some(isSlower);
  } finally {
    await ratios.close();
  }
}

function isSlower({ verdict }: Judgement): boolean {
  return verdict === 'slower';
}

function line({ name, ratio, expected, verdict }: Judgement, reference: string): string {
  return `${name.padEnd(18)} ${readable(ratio).padStart(7)} × ${reference.padEnd(12)} expected ${readable(expected).padStart(7)}  ${verdict}`;
}
