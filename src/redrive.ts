import { resolve } from 'node:path';
import { kafkaOf, openStore } from './adapters.ts';
import { loadConfig, type Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import { createEvents } from './events.ts';
import { createCustomerOf } from './ingest/index.ts';
import { createArchiveLetters } from './redrive/archive-letters.ts';
import { countsTable, createLetterCounts } from './redrive/counts.ts';
import { printable, resentText } from './redrive/describe.ts';
import { letterJson, letterLine, letterText } from './redrive/describe-letter.ts';
import { planJson, planLine } from './redrive/describe-plan.ts';
import { createLetterFilter, type FilterFlags, type LetterFilter } from './redrive/filter.ts';
import { createRedriveLedger, type Redriven, type RedriveLedger } from './redrive/ledger.ts';
import { idOf, keyOf, type Letters } from './redrive/letter.ts';
import { watchNamed } from './redrive/named.ts';
import type { PlanRules } from './redrive/plan.ts';
import { createProgress } from './redrive/progress.ts';
import { resend } from './redrive/resend.ts';
import { openTargets } from './redrive/targets.ts';
import { createTopicLetters } from './redrive/topic-letters.ts';
import { onStopSignal } from './signals.ts';

/** What `sluice redrive` takes; FilterFlags are those that choose letters. */
export interface RedriveFlags extends FilterFlags {
  /** Where dead letters are read: files of the archive, or the topic. */
  readonly from?: 'files' | 'topic';
  /** Counts of letters: what is done without any other mode. */
  readonly list?: boolean;
  /** A line for each letter beside the counts. */
  readonly verbose?: boolean;
  /** Prints everything of the letters with this id. */
  readonly show?: string;
  /** Sends messages to their topics, and decisions to their sinks. */
  readonly send?: boolean;
  /** Writes messages to a new file instead. */
  readonly out?: string;
  readonly dryRun?: boolean;
  /** Topic for the messages instead of their own. */
  readonly to?: string;
  readonly again?: boolean;
  readonly truncated?: boolean;
  readonly maxTimes?: number;
  readonly timestamps?: 'original' | 'now';
  /** Most letters that are listed or sent. */
  readonly limit?: number;
  readonly json?: boolean;
}

/** Poison must not circle for ever. */
const MAX_TIMES = 3;

/** What a mode of the command works with. */
interface Context {
  readonly config: Config;
  readonly flags: RedriveFlags;
  readonly letters: Letters;
  readonly filter: LetterFilter;
  readonly ledger: RedriveLedger;
  readonly known: ReadonlyMap<string, Redriven>;
  readonly stopping: AbortController;
}

/**
 * Lists dead letters, shows one, or sends them back; without `send` or `out` nothing is changed. Exit code 1 when a letter was
 * refused by where it was sent. Throws MisconfiguredError for flags that do not fit and, when the others are listed or sent, for
 * ids and a sink that no letter has; RetryableError when servers stay away.
 */
export async function redrive(file: string, flags: RedriveFlags): Promise<void> {
  const config = loadConfig(file);
  checkFlags(flags, config);
  const id = flags.show === undefined ? {} : { id: [flags.show] };
  const filter = createLetterFilter({ ...flags, ...id }, createCustomerOf(config.ingest));
  // An owner of its own, so that a pipeline that starts does not sweep what is being written here.
  const store = openStore({ ...config, name: `${config.name}-redrive` });
  const ledger = createRedriveLedger(store);
  const stopping = new AbortController();
  const off = onStopSignal(() => stopping.abort());
  let strangers = 0;
  try {
    const from = flags.from ?? (config.dead_letters.files ? 'files' : 'topic');
    const letters =
      from === 'files'
        ? createArchiveLetters(store)
        : createTopicLetters({
            topic: config.dead_letters.topic!,
            kafka: kafkaOf(config, '--from topic'),
            onStranger: () => strangers++,
          });
    const sinks = Object.keys(config.sinks);
    const named = watchNamed({ ...flags, ...id }, { letters, filter, sinks });
    const context = { config, flags, ledger, known: await ledger.read(), stopping, ...named };
    if (flags.show !== undefined) await show(context, flags.show);
    else if (flags.send || flags.out !== undefined || flags.dryRun) await send(context);
    else await list(context);
    if (strangers > 0) note(`${strangers} records of ${letters.description} are no dead letters of Sluice`);
    named.check();
  } finally {
    off();
    await store.close();
  }
}

function checkFlags(flags: RedriveFlags, { dead_letters, source }: Config): void {
  if (flags.from === 'topic' && dead_letters.topic === undefined)
    throw new MisconfiguredError('--from topic: expected dead_letters.topic in the configuration, got none');
  if (flags.to !== undefined && flags.to === dead_letters.topic)
    throw new MisconfiguredError('--to: expected another topic than that of the dead letters');
  if (
    flags.send &&
    flags.out === undefined &&
    flags.to === undefined &&
    source.type === 'file' &&
    !flags.sink
  )
    note('the source is files: its messages have no topic to go to; --out FILE writes them to a file');
}

async function list({ flags, letters, filter, known, stopping }: Context): Promise<void> {
  const counts = createLetterCounts();
  const progress = createProgress();
  const enough = new AbortController();
  let found = 0;
  await letters.read({
    received: filter.received,
    signal: AbortSignal.any([stopping.signal, enough.signal]),
    onProgress: (done, total) => (flags.verbose ? undefined : progress.show(done, total)),
    each(letter) {
      if (filter.wants(letter)) {
        const redriven = known.get(keyOf(letter));
        counts.add(letter, redriven !== undefined);
        if (flags.verbose)
          print(flags.json ? JSON.stringify(letterJson(letter, redriven)) : letterLine(letter, redriven));
        if (++found >= (flags.limit ?? Infinity)) enough.abort();
      }
      return Promise.resolve();
    },
  });
  progress.stop();
  const groups = counts.groups();
  if (flags.json) print(JSON.stringify({ from: letters.description, letters: found, groups }));
  else if (found === 0) print(`no dead letters in ${letters.description} that fit`);
  else print(`${flags.verbose ? '\n' : ''}${countsTable(groups)}\n\n${found} in ${letters.description}`);
}

async function show({ flags, letters, filter, known, stopping }: Context, id: string): Promise<void> {
  let found = 0;
  await letters.read({
    received: filter.received,
    signal: stopping.signal,
    onProgress: () => undefined,
    each(letter) {
      if (!filter.wants(letter)) return Promise.resolve();
      const redriven = known.get(keyOf(letter));
      const bytes = Buffer.from(letter.bytes).toString('base64');
      if (flags.json) print(JSON.stringify({ ...letterJson(letter, redriven), base64: bytes }));
      else print(`${found > 0 ? '\n' : ''}${letterText(letter, redriven)}`);
      found++;
      return Promise.resolve();
    },
  });
  if (found === 0)
    throw new MisconfiguredError(`--show: expected a dead letter of ${letters.description}, got ${id}`);
}

async function send(context: Context): Promise<void> {
  const { config, flags, letters, filter, ledger, known, stopping } = context;
  const { signal } = stopping;
  const { dryRun = false, json = false, verbose = false } = flags;
  const progress = createProgress();
  const rules: PlanRules = {
    now: Date.now(),
    to: flags.to,
    out: flags.out === undefined ? undefined : resolve(flags.out),
    again: flags.again ?? false,
    truncated: flags.truncated ?? false,
    maxTimes: flags.maxTimes ?? MAX_TIMES,
    timestamps: flags.timestamps ?? 'original',
    reads: readsOf(config),
    sinks: Object.keys(config.sinks),
    ledger: known,
  };
  const open = openTargets(config, createEvents(config.log.level), { out: rules.out, signal });
  try {
    const resent = await resend({
      letters,
      filter,
      rules,
      ledger,
      signal,
      targets: dryRun ? undefined : open.targets,
      factsOf: (topic) => open.factsOf(topic),
      limit: flags.limit ?? Infinity,
      onPlanned(letter, plan) {
        if (!dryRun && !verbose) return;
        print(json ? JSON.stringify(planJson(letter, plan)) : planLine(letter, plan));
      },
      onRefused: (letter, detail) => note(`${idOf(letter)} is refused: ${detail}`),
      onProgress: (done, total) => (dryRun || verbose ? undefined : progress.show(done, total)),
    });
    progress.stop();
    if (resent.refused > 0) process.exitCode = 1;
    print(json ? JSON.stringify({ ...resent, dry_run: dryRun }) : resentText(resent, dryRun));
  } finally {
    progress.stop();
    await open.close();
  }
}

/** Whether the pipeline reads a topic. */
function readsOf(config: Config): (topic: string) => boolean {
  const { source, feedback } = config;
  if (source.type !== 'kafka') return () => false;
  const { topics, pattern } = source;
  return (topic) =>
    topic === feedback?.topic || (topics?.includes(topic) ?? new RegExp(pattern!, 'u').test(topic));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}
