import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { openStore } from './adapters.ts';
import { formatRows } from './archive/index.ts';
import type { Config } from './config.ts';
import { MisconfiguredError, errorOf, isOperational } from './errors.ts';
import { createEvents } from './events.ts';
import { isRemote } from './ingest/index.ts';
import { createPipeline, type PipelineOptions } from './pipeline.ts';
import { showProgress } from './progress-bar.ts';
import { parseTime } from './replay-range.ts';
import { resolveClassify } from './resolve-classify.ts';
import { s3ConnectionConfig } from './s3-connection-config.ts';
import { comparedIn, summariseChanges, writeChanges, type ChangesSummary } from './score-changes.ts';
import { baseConfig, scoreConfig, type ScoreFlags } from './score-config.ts';
import { contentOf } from './score-content.ts';
import { findScoreInputs, isWithin, type ScoreInputs, type SliceBounds } from './score-inputs.ts';
import { bindRequest, topicOf } from './score-request.ts';
import { onStopSignal } from './signals.ts';
import type { Totals } from './totals.ts';
import { formatBytes } from './units.ts';

/** What `sluice score` takes. */
export interface ScoreOptions extends ScoreFlags {
  /** Of an archive: one customer's rows, with event times from and before ISO 8601 times. */
  readonly customer?: string;
  readonly from?: string;
  readonly to?: string;
  /** Where `changedOnly` writes the changes; see {@link changesFileOf}. */
  readonly changes?: string;
  /** Ends with one line of machine-readable totals. */
  readonly json?: boolean;
}

/**
 * Scores files, or a slice of an archive, into an archive of its own, exactly once: the pipeline of `sluice run` from files
 * into a directory. What was interrupted goes on when the same command is given again. Throws MisconfiguredError for what
 * is not there, for flags that contradict each other, and for a directory that was begun with another request.
 */
export async function score(inputs: readonly string[], options: ScoreOptions): Promise<void> {
  const bounds = boundsOf(options);
  const base = baseConfig(options);
  const s3 = base.classify.s3 ?? s3ConnectionConfig.parse({});
  const found = await findScoreInputs(inputs, { bounds, s3 });
  checkFlags(options, found);
  const plan = scoreConfig(base, options, found);
  const out = resolve(options.out);
  await refuseOverlap([...inputs, ...found.inputs], out);
  await checkPlaces(options);
  // One run, one version: what the configuration means is looked up once, also for later runs of the same request.
  const { config: classify, offline } = await resolveClassify(plan.classify);
  for (const reason of offline) process.stderr.write(`sluice: S3 could not be asked: ${reason}\n`);
  const request = requestOf(inputs, options, plan, await contentOf(classify));
  const config = withTopic({ ...plan, classify }, topicOf(await bindRequest(out, request)));
  const slice = found.kind === 'archive' ? { ...bounds, scores: options.changedOnly ?? false } : undefined;
  const { totals, isStopped } = await runTo(config, options, {
    sizes: found.sizes,
    ...(slice ? { slice } : {}),
  });
  const changes = options.changedOnly && !isStopped ? await finishChanges(config, options) : undefined;
  if (options.json) {
    print(JSON.stringify({ ...totals, ...(changes ? { changes } : {}) }));
  } else {
    print(summary(totals, out));
    if (changes) printChanges(changes, changesFileOf(options));
  }
  if (isStopped) print('stopped before its end: the same command goes on with it');
}

/** `_changes.jsonl` in the archive, where its readers do not look. */
export function changesFileOf({ changes, out }: Pick<ScoreOptions, 'changes' | 'out'>): string {
  return changes ?? join(out, '_changes.jsonl');
}

function boundsOf({ customer, from, to }: ScoreOptions): SliceBounds {
  const bounds = {
    customer,
    from: from === undefined ? undefined : parseTime('--from', from),
    to: to === undefined ? undefined : parseTime('--to', to),
  };
  if (bounds.from !== undefined && bounds.to !== undefined && bounds.to <= bounds.from)
    throw new MisconfiguredError('--to: expected a time after --from');
  return bounds;
}

function checkFlags(options: ScoreOptions, { kind, inputs }: ScoreInputs): void {
  if (options.deliver && options.config === undefined)
    throw new MisconfiguredError('--deliver: expected --config with the sinks that are told, got none');
  if (options.changes !== undefined && !options.changedOnly)
    throw new MisconfiguredError('--changes: expected --changed-only beside it');
  const place = relative(resolve(options.out), resolve(changesFileOf(options)));
  if (!place.startsWith('..') && isWithin(place.replaceAll(sep, '/'), {}))
    throw new MisconfiguredError(
      `--changes ${changesFileOf(options)}: expected a name that begins with _ in the archive itself, or its readers would take it for rows`,
    );
  if (kind === 'archive') return;
  const flag = (['customer', 'from', 'to', 'changedOnly'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (flag === undefined) return;
  throw new MisconfiguredError(
    `--${flag === 'changedOnly' ? 'changed-only' : flag}: expected an archive, whose rows have decisions and known columns, got the messages ${inputs[0]}`,
  );
}

/** What would fail after all rows are scored. */
async function checkPlaces(options: ScoreOptions): Promise<void> {
  if (options.changes === undefined) return;
  const folder = dirname(resolve(options.changes));
  if ((await stat(folder).catch(() => undefined))?.isDirectory() || isInside(folder, resolve(options.out)))
    return;
  throw new MisconfiguredError(`--changes ${options.changes}: expected a folder ${folder}, got none`);
}

function isInside(inner: string, outer: string): boolean {
  const path = relative(outer, inner);
  return path === '' || !(path.startsWith('..') || resolve(path) === path);
}

/** What is written must not be what is read, by whatever links or patterns it is named. */
async function refuseOverlap(inputs: readonly string[], out: string): Promise<void> {
  const realOut = await realPathOf(out);
  for (const input of inputs) {
    if (input === '-' || isRemote(input)) continue;
    const real = await realPathOf(resolve(input));
    if (isInside(realOut, real) || isInside(real, realOut))
      throw new MisconfiguredError(`--out ${out}: expected a directory apart from the input ${input}`);
  }
}

/** Without links, also of what is not there yet. */
async function realPathOf(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined || dirname(path) === path) return real ?? path;
  return join(await realPathOf(dirname(path)), basename(path));
}

function withTopic(config: Config, topic: string): Config {
  const { source } = config;
  return source.type === 'file' ? { ...config, source: { ...source, topic } } : config;
}

/** What makes two commands the same: not how many threads do it, nor how it is printed. `content`: see contentOf. */
function requestOf(
  inputs: readonly string[],
  options: ScoreOptions,
  config: Config,
  content: string,
): Record<string, unknown> {
  const { workers: _workers, time_limit: _limit, cache: _cache, s3: _s3, ...classify } = config.classify;
  const request = {
    inputs: inputs.map((input) => (input === '-' || isRemote(input) ? input : resolve(input))),
    customer: options.customer,
    from: options.from,
    to: options.to,
    changed_only: options.changedOnly ?? false,
    deliver: options.deliver ?? false,
    fields: config.ingest.fields,
    // Only compared: it may name what nobody else should read.
    'models and policies': createHash('sha256')
      .update(JSON.stringify([classify, content]))
      .digest('hex'),
  };
  return JSON.parse(JSON.stringify(request)) as Record<string, unknown>;
}

async function runTo(
  config: Config,
  options: ScoreOptions,
  choices: PipelineOptions,
): Promise<{ readonly totals: Totals; readonly isStopped: boolean }> {
  const events = createEvents(options.config === undefined ? 'warn' : config.log.level);
  const pipeline = createPipeline(config, events, choices);
  let isStopped = false;
  const off = onStopSignal((signal) => {
    isStopped = true;
    events.stopRequested(signal);
    pipeline.stop();
  });
  const stopBar = showProgress(pipeline);
  try {
    return { totals: await pipeline.run({ untilEnd: true }), isStopped };
  } catch (error) {
    // Without a configuration nobody reads log lines; the command line says it.
    if (options.config !== undefined) events.pipelineFailed(errorOf(error), isOperational(error));
    throw error;
  } finally {
    stopBar();
    off();
  }
}

/** The changes are a view of the archive, which has each of them exactly once. */
async function finishChanges(config: Config, options: ScoreOptions): Promise<ChangesSummary> {
  const root = resolve(options.out);
  const store = openStore(config);
  try {
    await writeChanges({ root, file: changesFileOf(options) });
    return await summariseChanges(root, await comparedIn(store));
  } finally {
    await store.close();
  }
}

function summary(
  { messages, rows, dead_letters: dead, skipped, files, bytes, seconds }: Totals,
  out: string,
): string {
  if (messages === 0) return `nothing new: ${out} has all of it already, or the inputs are empty`;
  const number = (value: number) => value.toLocaleString('en');
  return (
    `${number(messages)} messages in ${seconds.toFixed(1)} s (${number(Math.round(messages / seconds))}/s): ` +
    `${number(rows)} rows, ${number(dead)} dead letters, ${number(skipped)} skipped; ` +
    `${number(files)} files, ${formatBytes(bytes)} in ${out}`
  );
}

function printChanges({ rows, changed, customers, labels }: ChangesSummary, file: string): void {
  const share = rows > 0 ? ` (${((100 * changed) / rows).toFixed(2)} %)` : '';
  print(
    `\n${changed.toLocaleString('en')} of ${rows.toLocaleString('en')} decisions changed${share}: ${file}`,
  );
  if (changed === 0) return;
  const table = (columns: string[], values: unknown[][]) =>
    print(`\n${formatRows({ columns, rows: values }, 'table')}`);
  table(
    ['customer', 'changed', 'from → to'],
    customers.map((each) => [each.customer, each.rows, each.changes]),
  );
  if (labels.length > 0)
    table(
      ['label', 'decides now', 'no longer'],
      labels.map((each) => [each.label, each.gained, each.lost]),
    );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
