/** The command line of the benchmarks: `npm run bench -- [suites]`, `gate`, `report`. */
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { cacheDirectory } from '../scripts/services/cache.ts';
import { MisconfiguredError, isOperational } from '../src/errors.ts';
import { didYouMean } from '../src/suggest.ts';
import { runGate } from './gate/gate.ts';
import { thisMachine } from './harness/machine.ts';
import { createRecords } from './harness/record.ts';
import { runSuite, type RoundsEvents } from './harness/rounds.ts';
import { writeReport } from './report/report.ts';
import { cpuPerMillion, perSecond, readable, tableOf } from './report/table.ts';
import { SUITES } from './suites/index.ts';

const RESULTS = join(import.meta.dirname, 'results');
const README = join(import.meta.dirname, 'README.md');

interface Flags {
  readonly rounds?: number;
  readonly messages?: number;
  readonly only?: string[];
  readonly texts?: string;
  readonly fresh: boolean;
}

const whole = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number from 1');
  return value;
};

const program = new Command('bench')
  .description('Measures Sluice, its stages, its limits, and what else one would use.')
  .argument('[suites...]', `${Object.keys(SUITES).join(', ')}, or all`, ['pipeline'])
  .option('--rounds <number>', 'rounds of each measurement (default: by suite)', whole)
  .option(
    '--messages <number>',
    'messages of each measurement: a trial, which is printed and not kept',
    whole,
  )
  .option('--only <names...>', 'these measurements of the suites: a trial too')
  .option('--texts <file>', 'real texts for `classify`: JSONL with `text`, may end in .gz')
  .option('--fresh', 'take anew what has been taken already', false)
  .action(run);

program
  .command('gate')
  .description('fail when a stage has become slower against its reference')
  .option('--update', 'write down the ratios of now', false)
  .action(async (flags: { readonly update: boolean }) => {
    if (!(await runGate(flags))) process.exitCode = 1;
    // Native threads of the stages may hold the process.
    process.exit();
  });

program
  .command('report')
  .description('write tables, summary and plot from the records that there are')
  .action(() => {
    writeReport({ records: createRecords(RESULTS).all(), readme: README, directory: RESULTS });
  });

async function run(names: readonly string[], flags: Flags): Promise<void> {
  const suites = names.includes('all') ? Object.keys(SUITES) : names;
  for (const name of suites) {
    if (!(name in SUITES))
      throw new MisconfiguredError(
        `expected suites (${Object.keys(SUITES).join(', ')}, all), got ${name}${didYouMean(name, Object.keys(SUITES))}`,
      );
  }
  // Figures of a trial never stand beside real ones.
  const isTrial = flags.messages !== undefined || flags.only !== undefined || flags.rounds !== undefined;
  const records = createRecords(isTrial ? join(cacheDirectory(), 'bench-trial') : RESULTS);
  let failures = 0;
  for (const name of suites) {
    const entry = SUITES[name]!;
    const suite = await entry.open(flags);
    try {
      failures += await runSuite({
        suite,
        records,
        machine: thisMachine(),
        rounds: flags.rounds ?? entry.rounds,
        fresh: flags.fresh || isTrial,
        events: print,
      });
    } finally {
      await suite.close();
    }
    if (!isTrial) writeReport({ records: records.all(), readme: README, directory: RESULTS });
    console.log(
      `\n${tableOf(suite.measurements.flatMap((each) => records.read(suite.name, each.name) ?? []))}`,
    );
  }
  if (failures > 0) process.exitCode = 1;
}

const print: RoundsEvents = {
  planned({ name }, { continued, turns }) {
    const what = turns.length === 0 ? 'is complete' : `${turns.length} samples to take`;
    console.log(
      `${name}: ${what}${continued ? '; kept: those of an earlier run (--fresh takes all anew)' : ''}`,
    );
  },
  warming: ({ name }) => console.log(`  ${name}: warming up`),
  sampled({ measurement, round }, sample) {
    const figures = `${readable(perSecond(sample))} ${measurement.unit}/s, ${readable(cpuPerMillion(sample))} CPU s per million`;
    const cost = sample.lost === undefined ? '' : `, ${sample.lost} lost, ${sample.twice} twice`;
    console.log(`  ${measurement.name}, round ${round + 1}: ${figures}${cost}`);
  },
  failed: ({ name }, error) => console.error(`  ${name} failed: ${error.message}`),
};

// So that what is being measured ends with us.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  await program.parseAsync();
} catch (error) {
  if (!isOperational(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
