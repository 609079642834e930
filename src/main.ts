import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { api, checkApi } from './api.ts';
import { formatRows, query, type Format } from './archive/index.ts';
import { glueApply, type GlueFlags } from './catalog.ts';
import { loadConfig } from './config.ts';
import { deliver } from './deliver.ts';
import { describeCascade } from './cascade-command.ts';
import { describeDoctor } from './doctor-command.ts';
import { demo } from './demo.ts';
import { exitNow } from './classify/index.ts';
import { describeHash } from './hash-command.ts';
import { HungError, errorOf, isOperational, messageOf } from './errors.ts';
import { EVALUATE_EXIT } from './evaluate.ts';
import { describeEvaluate } from './evaluate-command.ts';
import { createEvents } from './events.ts';
import { describeModel } from './model-command.ts';
import { createPipeline } from './pipeline.ts';
import { describePolicy } from './policy-command.ts';
import { replay } from './replay.ts';
import { describeRedrive } from './redrive-command.ts';
import { describeSchema } from './schema-command.ts';
import { describeScore } from './score-command.ts';
import { onStopSignal } from './signals.ts';
import type { Totals } from './totals.ts';
import { verify, VERIFY_EXIT, type VerifyCommandOptions } from './verify.ts';
import { describeWebhooks } from './webhooks-command.ts';

/** Writes results to standard output; log lines and errors go to standard error. */
function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function run(file: string, options: { untilEnd?: boolean; json?: boolean }): Promise<void> {
  const config = loadConfig(file);
  const events = createEvents(config.log.level);
  const pipeline = createPipeline(config, events);
  const off = onStopSignal((signal) => {
    events.stopRequested(signal);
    pipeline.stop();
  });
  try {
    const totals = await pipeline.run({ untilEnd: options.untilEnd ?? false });
    print(options.json ? JSON.stringify(totals) : summary(totals));
  } catch (error) {
    events.pipelineFailed(errorOf(error), isOperational(error));
    throw error;
  } finally {
    off();
  }
}

function summary(totals: Totals): string {
  return [
    `${totals.rows} rows archived, ${totals.dead_letters} dead letters, ${totals.skipped} skipped,`,
    ...(totals.refused > 0 ? [`${totals.refused} decisions refused by sinks,`] : []),
    `${totals.files} files in ${totals.flushes} flushes, ${totals.seconds.toFixed(1)} s`,
    ...(totals.webhooks_waiting > 0
      ? [`\n${totals.webhooks_waiting} webhooks still wait in Redis: \`sluice deliver CONFIG\` sends them`]
      : []),
  ].join(' ');
}

async function check(file: string): Promise<void> {
  const config = loadConfig(file);
  print(`${file}: configuration is valid`);
  const pipeline = createPipeline(config, createEvents('silent'));
  for await (const line of pipeline.check()) print(line);
  for await (const line of checkApi(config)) print(line);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected a whole number, such as 100');
  return Number(text);
}

function program(): Command {
  const { version, description } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string; description: string };
  const sluice = new Command('sluice').description(description).version(version).exitOverride();

  sluice
    .command('run')
    .description('run the pipeline that a configuration describes, until SIGTERM (which flushes first)')
    .argument('<config>', 'YAML file; see sluice.example.yaml and `sluice schema --markdown`')
    .option('--until-end', 'archive what is there now, then exit')
    .option('--json', 'end with one line of machine-readable totals on standard output')
    .action(run);
  sluice
    .command('api')
    .description('serve the HTTP API of a configuration, until it is stopped; see docs/api.md')
    .argument('<config>', 'YAML file')
    .action(api);
  sluice
    .command('demo')
    .description(
      'run the main job on the bundled sample stream, or on your own file, and summarise the archive',
    )
    .option('--input <file>', 'JSON lines, plain or gzip (default: the bundled sample)')
    .option('--out <directory>', 'where the archive goes', './out')
    .action(demo);
  sluice
    .command('check')
    .description('check a configuration and everything that it names: input, model, archive, sinks')
    .argument('<config>', 'YAML file')
    .action(check);
  describeDoctor(sluice.command('doctor'), print);
  describeSchema(sluice.command('schema'), print);
  sluice
    .command('glue')
    .description("the archive's tables in the AWS Glue catalog, for Athena; see docs/athena.md")
    .command('apply')
    .description('create the tables, or add to them what is new; says what changed')
    .option('--database <name>', 'database of the tables, made when missing', 'sluice')
    .option('--no-create-database', 'fail when the database is missing')
    .option('--table <name>', 'name of the table of content (default: content)')
    .option('--feedback-table <name>', 'name of the table of feedback (default: feedback)')
    .option('--location <url>', 'where the archive lies (default: the S3 store of --config)')
    .option('--config <file>', 'whose labels, partitions and feedback (default: the bundled model)')
    .option('--since <day>', 'first day of the data, YYYY-MM-DD (default: as it is, else 2020-01-01)')
    .option('--region <region>', 'region of the catalog (default: AWS_REGION, the profile)')
    .option('--endpoint <url>', 'another server than that of the region')
    .option('--dry-run', 'only say what would be done')
    .option('--force', 'also change types and remove what the archive does not have')
    .action(async (options: GlueFlags) => print((await glueApply(options)).join('\n')));
  sluice
    .command('verify')
    .description(
      'prove that every committed message is in exactly one row or dead letter; exit code 1 when not, 2 when it cannot tell: something cannot be read, or there is no transaction at all',
    )
    .argument('<config>', 'YAML file')
    .option('--quick', 'manifests, positions and sizes only: no file is read')
    .option('--since <date>', 'only transactions from this date or time (ISO 8601) on')
    .option('--archive-only', 'without the source: what is committed is not checked')
    .option('--replay <label>', 'the archive of a replay instead')
    .option('--limit <number>', 'most violations that are listed', wholeNumber, 100)
    .option('--json', 'the report as one line of JSON')
    .action(async (file: string, options: VerifyCommandOptions) => {
      process.exitCode = VERIFY_EXIT.failed;
      process.exitCode = await verify(file, options);
    });
  sluice
    .command('replay')
    .description(
      'archive a range of a topic once more, beside the archive; interrupted, the same command goes on',
    )
    .argument('<config>', 'YAML file')
    .option(
      '--from-offsets <ranges>',
      'topic:partition=first[-last], separated by commas; else up to the end as it is now',
    )
    .option(
      '--from-time <time>',
      "from the first message at or after this time (ISO 8601) by the topic's time stamps",
    )
    .option('--to-time <time>', 'to before the first message at or after this time')
    .option(
      '--label <name>',
      'name of the replay, in its paths and its consumer group (default: made from the range)',
    )
    .option('--deliver', 'tell the sinks again: receivers drop what they know by its id')
    .option('--dry-run', 'print ranges and counts, change nothing')
    .option('--json', 'end with one line of machine-readable totals on standard output')
    .action(replay);
  describeScore(sluice.command('score'));
  describeRedrive(sluice.command('redrive'));
  describeEvaluate(sluice.command('evaluate'));
  describeModel(sluice.command('model'), print);
  describeCascade(sluice.command('cascade'), print);
  describePolicy(sluice.command('policy'), print);
  describeHash(sluice.command('hash'), print);
  sluice
    .command('deliver')
    .description('send the webhooks that wait in Redis, until SIGTERM; any number of processes may')
    .argument('<config>', 'YAML file with a sink of type webhooks')
    .option(
      '--listen <host:port>',
      'address of its /metrics, /live and /ready, instead of `server.listen`; or `off`',
    )
    .action(deliver);
  describeWebhooks(sluice.command('webhooks'), print);
  sluice
    .command('query')
    .description('run SQL (DuckDB) over an archive: views `content`, `feedback` and `dead_letters`')
    .argument('<sql>', 'for example "select customer, action, count(*) from content group by all"')
    .option('--archive <directory>', 'the archive', './out')
    .addOption(
      new Option('--format <format>', 'how rows are printed')
        .choices(['table', 'json', 'csv'])
        .default('table'),
    )
    .action(async (sql: string, options: { archive: string; format: Format }) => {
      print(formatRows(await query(sql, { root: options.archive }), options.format));
    });
  return sluice;
}

/** Exit codes for flags that make no sense, where 1 means something else. */
const USAGE_EXIT: Readonly<Record<string, number>> = {
  verify: VERIFY_EXIT.failed,
  evaluate: EVALUATE_EXIT.unknown,
};

/** The command line. Sets the exit code: 0 done, 1 failed (one clear line on standard error; a stack only for a bug). */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `sluice query … | head`: whoever read has enough. What `evaluate` and `verify` found out stays their answer.
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
  try {
    await program().parseAsync(args, { from: 'user' });
  } catch (error) {
    // `verify` and `evaluate` keep 1 for what does not hold.
    process.exitCode ??= 1;
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : (USAGE_EXIT[args[0] ?? ''] ?? error.exitCode);
    } else if (isOperational(error)) {
      process.stderr.write(`sluice: ${error.message}\n`);
      // A thread that hangs in native code never ends, and the process with it.
      if (error instanceof HungError) exitNow(Number(process.exitCode));
    } else {
      process.stderr.write(
        `sluice: unexpected ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}\n`,
      );
    }
  }
}
