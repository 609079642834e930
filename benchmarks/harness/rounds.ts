import { isOperational, messageOf } from '../../src/errors.ts';
import type { Machine } from './machine.ts';
import { emptyRecord, isCurrent, type MeasurementRecord, type Records } from './record.ts';
import type { Measurement, Sample, Suite } from './sample.ts';

/** One sample that is to be taken. */
export interface Turn {
  readonly round: number;
  readonly measurement: Measurement;
}

/** What is left to do of a suite. */
export interface Plan {
  /** When the run began, ISO 8601; an interrupted one keeps its beginning. */
  readonly run: string;
  /** Whether samples of an earlier, interrupted run are kept. */
  readonly continued: boolean;
  /** Round by round, in each round every measurement that lacks it. */
  readonly turns: readonly Turn[];
}

/**
 * Decides what to measure. Measurements of a suite are compared, so they belong to one run: where versions, parameters or
 * the machine of any of them changed, all are taken anew; else only rounds that are missing. Pure.
 */
export function planRun(options: {
  readonly measurements: readonly Measurement[];
  readonly records: readonly (MeasurementRecord | undefined)[];
  readonly machine: Machine;
  readonly rounds: number;
  readonly fresh: boolean;
  /** Beginning of a new run. */
  readonly now: string;
}): Plan {
  const { measurements, records, machine, rounds, fresh, now } = options;
  const taken = records.filter((record) => record !== undefined);
  const current = measurements.every((each, at) => {
    const record = records[at];
    return record === undefined || isCurrent(record, each, machine);
  });
  const continued = !fresh && taken.length > 0 && current && new Set(taken.map(({ run }) => run)).size === 1;
  const done = (at: number) => (continued ? (records[at]?.samples.length ?? 0) : 0);
  const turns = Array.from({ length: rounds }, (_, round) =>
    measurements.flatMap((measurement, at) => (done(at) <= round ? [{ round, measurement }] : [])),
  ).flat();
  return { run: continued ? taken[0]!.run : now, continued, turns };
}

/** What running a suite tells as it goes. */
export interface RoundsEvents {
  planned(suite: Suite, plan: Plan): void;
  warming(measurement: Measurement): void;
  sampled(turn: Turn, sample: Sample): void;
  failed(measurement: Measurement, error: Error): void;
}

/** Options of {@link runSuite}. */
export interface RunSuiteOptions {
  readonly suite: Suite;
  readonly records: Records;
  readonly machine: Machine;
  readonly rounds: number;
  readonly fresh: boolean;
  readonly events: RoundsEvents;
}

/**
 * Takes the samples of a suite that are missing; each is kept at once, so that an interrupted run goes on where it was.
 * A measurement that fails (an OperationalError) is left out of the rounds that follow and keeps the reason; the others
 * go on. Resolves with the number of those that failed.
 */
export async function runSuite(options: RunSuiteOptions): Promise<number> {
  const { suite, records, machine, rounds, fresh, events } = options;
  const { measurements } = suite;
  const plan = planRun({
    measurements,
    records: measurements.map(({ name }) => records.read(suite.name, name)),
    machine,
    rounds,
    fresh,
    now: new Date().toISOString(),
  });
  events.planned(suite, plan);
  if (plan.turns.length === 0) return 0;
  if (!plan.continued) for (const { name } of measurements) records.remove(suite.name, name);
  const warm = new Set<Measurement>();
  const failed = new Set<Measurement>();
  for (const turn of plan.turns) {
    const { measurement, round } = turn;
    if (failed.has(measurement)) continue;
    const { failure: _, ...kept } =
      records.read(suite.name, measurement.name) ??
      emptyRecord({ suite: suite.name, measurement, machine, run: plan.run });
    try {
      if (!warm.has(measurement) && measurement.warmUp) {
        events.warming(measurement);
        await measurement.warmUp();
      }
      warm.add(measurement);
      const sample = await measurement.sample(round);
      records.write({ ...kept, samples: [...kept.samples, sample] });
      events.sampled(turn, sample);
    } catch (error) {
      if (!isOperational(error)) throw error;
      failed.add(measurement);
      records.write({ ...kept, failure: messageOf(error) });
      events.failed(measurement, error);
    }
  }
  return failed.size;
}
