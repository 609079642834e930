import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Machine } from '../../../benchmarks/harness/machine.ts';
import { createRecords, emptyRecord, type Records } from '../../../benchmarks/harness/record.ts';
import { planRun, runSuite } from '../../../benchmarks/harness/rounds.ts';
import type { Measurement, Sample } from '../../../benchmarks/harness/sample.ts';
import { OperationalError } from '../../../src/errors.ts';

const MACHINE: Machine = { cpu: 'test', cores: 2, memoryGiB: 4, system: 'test' };
const SAMPLE: Sample = { count: 10, seconds: 2, cpuSeconds: 1 };
const quiet = {
  planned: () => undefined,
  warming: () => undefined,
  sampled: () => undefined,
  failed: () => undefined,
};

function recordsHere(): Records {
  const directory = mkdtempSync(join(tmpdir(), 'records-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return createRecords(directory);
}

function measurement(name: string, taken: string[], changes: Partial<Measurement> = {}): Measurement {
  return {
    name,
    title: name,
    unit: 'messages',
    parameters: { messages: 10 },
    versions: { sluice: '1' },
    sample(round) {
      taken.push(`${name}${round}`);
      return Promise.resolve(SAMPLE);
    },
    ...changes,
  };
}

function run(records: Records, measurements: readonly Measurement[], rounds: number, fresh = false) {
  const suite = { name: 'suite', measurements, close: () => Promise.resolve() };
  return runSuite({ suite, records, machine: MACHINE, rounds, fresh, events: quiet });
}

describe('rounds', () => {
  it('lets measurements take turns', async () => {
    const taken: string[] = [];
    await run(recordsHere(), [measurement('a', taken), measurement('b', taken)], 2);
    expect(taken).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  it('goes on where it was cut, in the same run', async () => {
    const records = recordsHere();
    const taken: string[] = [];
    let cut = true;
    const cutting = measurement('b', taken, {
      sample(round) {
        if (cut && round === 1) throw new Error('cut');
        taken.push(`b${round}`);
        return Promise.resolve(SAMPLE);
      },
    });
    const all = [measurement('a', taken), cutting];
    await expect(run(records, all, 3)).rejects.toThrow('cut');
    const begun = records.read('suite', 'a')!.run;
    cut = false;
    taken.length = 0;
    await run(records, all, 3);
    expect(taken).toEqual(['b1', 'a2', 'b2']);
    expect(records.all().map((record) => [record.name, record.samples.length, record.run])).toEqual([
      ['a', 3, begun],
      ['b', 3, begun],
    ]);
    taken.length = 0;
    await run(records, all, 3);
    expect(taken).toEqual([]);
  });

  it('takes all anew when one of them has changed, or when asked to', async () => {
    const records = recordsHere();
    const taken: string[] = [];
    await run(records, [measurement('a', taken), measurement('b', taken)], 1);
    taken.length = 0;
    await run(records, [measurement('a', taken), measurement('b', taken, { versions: { sluice: '2' } })], 1);
    expect(taken).toEqual(['a0', 'b0']);
    taken.length = 0;
    await run(
      records,
      [measurement('a', taken), measurement('b', taken, { versions: { sluice: '2' } })],
      1,
      true,
    );
    expect(taken).toEqual(['a0', 'b0']);
    expect(records.read('suite', 'a')!.samples).toHaveLength(1);
  });

  it('goes on with the others when one fails, and says so', async () => {
    const records = recordsHere();
    const taken: string[] = [];
    const broken = measurement('a', taken, {
      sample: () => Promise.reject(new OperationalError('no luck')),
    });
    expect(await run(records, [broken, measurement('b', taken)], 2)).toBe(1);
    expect(taken).toEqual(['b0', 'b1']);
    expect(records.read('suite', 'a')).toMatchObject({ samples: [], failure: 'no luck' });
    expect(await run(records, [measurement('a', taken), measurement('b', taken)], 2)).toBe(0);
    expect(records.read('suite', 'a')!.samples).toHaveLength(2);
    expect(records.read('suite', 'a')!.failure).toBeUndefined();
  });

  it('plans every missing round once, those of one round before those of the next', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 5 }),
        (done, rounds) => {
          const all = done.map((_, at) => measurement(`m${at}`, []));
          const records = all.map((each, at) => ({
            ...emptyRecord({ suite: 's', measurement: each, machine: MACHINE, run: 'then' }),
            samples: Array.from({ length: done[at]! }, () => SAMPLE),
          }));
          const options = { measurements: all, records, machine: MACHINE, rounds, now: 'now' };
          const plan = planRun({ ...options, fresh: false });
          expect(plan.run).toBe('then');
          const expected = all.flatMap(({ name }, at) =>
            Array.from({ length: Math.max(0, rounds - done[at]!) }, (_, k) => `${name} ${done[at]! + k}`),
          );
          expect(plan.turns.map((turn) => `${turn.measurement.name} ${turn.round}`).toSorted()).toEqual(
            expected.toSorted(),
          );
          const order = plan.turns.map(({ round }) => round);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
          expect(planRun({ ...options, fresh: true }).turns).toHaveLength(rounds * all.length);
          expect(planRun({ ...options, machine: { ...MACHINE, cores: 3 }, fresh: false }).run).toBe('now');
        },
      ),
    );
  });

  it('refuses a file that is no record', () => {
    const directory = mkdtempSync(join(tmpdir(), 'records-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    mkdirSync(join(directory, 'suite'));
    writeFileSync(join(directory, 'suite', 'a.json'), '{"samples": "many"}');
    expect(() => createRecords(directory).all()).toThrow(/a\.json: expected a record of a measurement/);
  });
});
