/** The command line of the chaos suite: `npm run chaos -- --minutes 10 [--seed N] [--scenario faults|outage]`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { removeServices } from './services/index.ts';
import { runOutage, type OutageReport } from '../test/chaos/outage.ts';
import { runChaos, type ChaosReport } from '../test/chaos/run.ts';

interface Flags {
  readonly minutes: number;
  readonly seed: number;
  readonly messages: number;
  readonly customers: number;
  readonly members: number;
  readonly kills: number;
  readonly zombies: number;
  readonly scenario: 'faults' | 'outage';
  readonly seconds: number;
  readonly report: string;
  readonly keep?: boolean;
}

const whole = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError(`expected a number, got ${text}`);
  return value;
};

const program = new Command('chaos')
  .description(
    'Kills, stops and starves processes of the real command line, with real servers, and counts what became of each message.',
  )
  .option('--minutes <n>', 'over how long messages and faults are spread', whole, 10)
  .option('--seed <n>', 'seed of messages and faults', whole, Date.now() % 1_000_000)
  .option('--messages <n>', 'messages to write', whole, 400_000)
  .option('--customers <n>', 'customers, skewed', whole, 50)
  .option('--members <n>', 'processes of the group', whole, 3)
  .option('--kills <n>', 'kill -9 at random moments; each named crash point comes on top', whole, 20)
  .option('--zombies <n>', 'members stopped past their session', whole, 8)
  .addOption(
    new Option('--scenario <name>', 'faults of all kinds, or only an outage of S3')
      .choices(['faults', 'outage'])
      .default('faults'),
  )
  .option('--seconds <n>', 'how long the outage lasts', whole, 60)
  .option('--report <file>', 'where the report goes', 'chaos-report.json')
  .option('--keep', 'keep logs and records when everything held')
  .action(chaos);

async function chaos(flags: Flags): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-chaos-'));
  const started = performance.now();
  const onProgress = (line: string) =>
    console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  console.log(`seed ${flags.seed}, everything in ${directory}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void removeServices(['kafka', 's3'], { directory: join(directory, 'services') }).finally(() =>
        process.exit(130),
      );
    });
  }
  const report =
    flags.scenario === 'outage'
      ? await outage(flags, directory, onProgress)
      : await faults(flags, directory, onProgress);
  const file = resolve(flags.report);
  mkdirSync(resolve(file, '..'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\n${'faults' in report ? summary(report) : outageSummary(report)}`);
  for (const failure of report.failures) console.log(`FAILED ${failure}`);
  console.log(
    `${report.failures.length === 0 ? 'The promise held' : 'The promise DID NOT hold'}; report: ${file}`,
  );
  if (report.failures.length > 0) process.exitCode = 1;
  if (report.failures.length > 0 || flags.keep) console.log(`logs and records: ${directory}`);
  else rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

function faults(flags: Flags, directory: string, onProgress: (line: string) => void): Promise<ChaosReport> {
  const { seed, members, kills, zombies, messages, customers } = flags;
  return runChaos({
    directory,
    messages,
    customers,
    partitions: 12,
    seconds: flags.minutes * 60,
    onProgress,
    plan: {
      seed,
      members,
      kills,
      zombies,
      rollingRestarts: 2,
      membersAdded: 2,
      brokerRestarts: 2,
      s3Restarts: 2,
      s3Faults: 5,
      clockJumps: 2,
    },
    sessionTimeout: 10_000,
    rotateAge: '5s',
  });
}

function outage(flags: Flags, directory: string, onProgress: (line: string) => void): Promise<OutageReport> {
  const { seed, members, seconds, customers } = flags;
  return runOutage({
    directory,
    seed,
    members,
    seconds,
    customers,
    onProgress,
    partitions: 6,
    speed: 1000,
    sessionTimeout: 10_000,
    rotateAge: '2s',
    memory: '2MiB',
  });
}

function summary({ judgement, verdict, ...report }: ChaosReport): string {
  const found = (kind: string) =>
    judgement.violations.find((violation) => violation.kind === kind)?.count ?? 0;
  return [
    `seed ${report.seed}: ${judgement.written} messages, ${report.seconds.toFixed(0)} s`,
    `${report.faults.length} faults; ${report.kills} kills (${JSON.stringify(report.crashes)} at named points), ${report.zombies} zombies`,
    `${report.starts} starts, ${report.rebalances} assignments, ${report.flushes} flushes, ${report.fenced} fenced, ${report.exits.length} other exits`,
    `${judgement.rows} rows in ${judgement.files} files, ${judgement.deadLetters} dead letters`,
    `lost ${found('lost')}, twice ${found('twice')}; sluice verify: exit code ${verdict.code}`,
  ].join('\n');
}

function outageSummary({ samples, resumedAfter, judgement, verdict }: OutageReport): string {
  const last = samples.at(-1)!;
  const found = (kind: string) =>
    judgement.violations.find((violation) => violation.kind === kind)?.count ?? 0;
  return [
    `S3 away for ${last.at.toFixed(0)} s: position lag ${last.positionLag}, buffered ${last.bufferedBytes} bytes, resident ${Math.round(last.residentBytes / 1e6)} MB`,
    `caught up ${resumedAfter.toFixed(1)} s after its return`,
    `lost ${found('lost')}, twice ${found('twice')}; sluice verify: exit code ${verdict.code}`,
  ].join('\n');
}

await program.parseAsync();
