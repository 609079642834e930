import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CRASH_POINTS } from '../../src/archive/crash.ts';
import { crashChain, planFaults, type Fault, type PlanOptions } from './plan.ts';

const few = fc.integer({ min: 0, max: 20 });
const anyOptions: fc.Arbitrary<PlanOptions> = fc.record({
  seed: fc.integer(),
  members: fc.integer({ min: 1, max: 5 }),
  kills: few,
  zombies: few,
  rollingRestarts: few,
  membersAdded: few,
  brokerRestarts: few,
  s3Restarts: few,
  s3Faults: few,
  clockJumps: few,
});

const kinds = (plan: readonly { readonly fault: Fault }[], kind: Fault['kind']) =>
  plan.filter(({ fault }) => fault.kind === kind).length;

describe('planFaults', () => {
  it('gives the same plan for the same seed, another for another', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        expect(planFaults(options)).toEqual(planFaults(options));
      }),
    );
    const options = {
      members: 3,
      kills: 9,
      zombies: 4,
      rollingRestarts: 1,
      membersAdded: 1,
      brokerRestarts: 1,
    };
    const rest = { s3Restarts: 1, s3Faults: 5, clockJumps: 2 };
    expect(planFaults({ seed: 1, ...options, ...rest })).not.toEqual(
      planFaults({ seed: 2, ...options, ...rest }),
    );
  });

  it('has each fault as often as asked, in order of time, within the run', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const plan = planFaults(options);
        expect(kinds(plan, 'kill')).toBe(options.kills);
        expect(kinds(plan, 'zombie')).toBe(options.zombies);
        expect(kinds(plan, 'rolling-restart')).toBe(options.rollingRestarts);
        expect(kinds(plan, 'broker')).toBe(options.brokerRestarts);
        expect(kinds(plan, 's3')).toBe(options.s3Restarts);
        expect(kinds(plan, 's3-fault')).toBe(options.s3Faults);
        expect(kinds(plan, 'clock')).toBe(options.clockJumps);
        expect(kinds(plan, 'crash')).toBe(1);
        const times = plan.map(({ at }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(times.every((at) => at >= 0 && at < 1)).toBe(true);
      }),
    );
  });

  it('never leaves fewer members than it began with', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        let members = options.members;
        for (const { fault } of planFaults(options)) {
          if (fault.kind === 'add-member') members++;
          if (fault.kind === 'remove-member') members--;
          expect(members).toBeGreaterThanOrEqual(options.members);
        }
        expect(members).toBe(options.members);
      }),
    );
  });
});

describe('crashChain', () => {
  it('has every crash point, and recoveries only after deaths that leave something to recover', () => {
    const chain = crashChain(3);
    expect(new Set(chain)).toEqual(new Set(CRASH_POINTS));
    expect(chain.indexOf('during-recovery')).toBeGreaterThan(chain.indexOf('after-commit'));
    expect(chain.filter((point) => point === 'during-recovery')).toHaveLength(3);
  });
});
