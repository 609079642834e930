import { Presets, SingleBar } from 'cli-progress';
import { openStore } from './adapters.ts';
import { newestPositions, type ArchivedPosition } from './archive/index.ts';
import { groupOf } from './commits.ts';
import { loadConfig, type Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import { createEvents } from './events.ts';
import { isSubscribed, subscriptionOf, type KafkaGroup, type KafkaSourceConfig } from './ingest/index.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import { replayConfig } from './replay-config.ts';
import { labelOf, offsetOf, parseOffsets, parseTime, withinTopic, type ReplayRange } from './replay-range.ts';
import type { ReplayRequest } from './replay-range.ts';
import { onStopSignal } from './signals.ts';
import type { CommittedPosition, Store } from './ports.ts';

/** What `sluice replay` takes. */
export interface ReplayCommandOptions extends ReplayRequest {
  /** Name of the replay; by default made from the request. */
  readonly label?: string;
  /** Tells the sinks again. */
  readonly deliver?: boolean;
  /** Prints what would be replayed, and changes nothing. */
  readonly dryRun?: boolean;
  /** Ends with one line of machine-readable totals. */
  readonly json?: boolean;
}

/**
 * Archives a range of a topic once more, beside the archive, exactly once: as a pipeline of its own with a consumer group
 * of its own, which ends at the end of the range. What was interrupted goes on when the same command is given again. Throws
 * MisconfiguredError when the range is not there, when it is done already, and when its label was used for another range.
 */
export async function replay(file: string, options: ReplayCommandOptions): Promise<void> {
  const main = loadConfig(file);
  checkRequest(options);
  const label = options.label ?? labelOf(options);
  const { source, ...config } = replayConfig(main, label);
  // replayConfig knows of no other.
  if (source.type !== 'kafka') return;
  const chosen = chosenTopics(source, config.feedback?.topic, options);
  const whole: Config = { ...config, ...chosen, sinks: options.deliver ? main.sinks : {} };
  const group = groupOf(whole, chosen.source);
  const store = openStore(whole);
  try {
    const ranges = await resolveRanges(options, group);
    const archived = await newestPositions(store, { pipeline: whole.name });
    const begins = beginsOf(ranges, archived, label, store);
    print(planText(ranges, begins, store, label));
    if (options.dryRun) return;
    await begin(group, ranges, begins);
    if (!(await runTo(whole, ranges, begins, options))) return;
    // The archive says itself how far it is; the group would only stay behind.
    await group.remove();
  } finally {
    group.close();
    await store.close();
  }
  print(`verify it: sluice verify ${file} --replay ${label}`);
}

function checkRequest({ fromOffsets, fromTime, toTime }: ReplayCommandOptions): void {
  if ((fromOffsets === undefined) === (fromTime === undefined))
    throw new MisconfiguredError(
      'replay: expected either --from-offsets or --from-time, got ' +
        (fromTime === undefined ? 'neither' : 'both'),
    );
  if (toTime !== undefined && fromTime === undefined)
    throw new MisconfiguredError(
      '--to-time: expected --from-time beside it; --from-offsets takes the last offset as `from-to`',
    );
}

/** Only topics that are named are read. */
function chosenTopics(
  source: KafkaSourceConfig,
  feedbackTopic: string | undefined,
  { fromOffsets }: ReplayCommandOptions,
): { readonly source: KafkaSourceConfig; readonly feedback?: undefined } {
  if (fromOffsets === undefined) return { source };
  const { pattern, ...others } = source;
  const topics = [...new Set(parseOffsets(fromOffsets).map(({ topic }) => topic))];
  const beside = feedbackTopic === undefined ? [] : [feedbackTopic];
  const subscription = subscriptionOf(source, beside);
  const stranger = topics.find((topic) => !isSubscribed(subscription, topic));
  if (stranger !== undefined)
    throw new MisconfiguredError(
      `--from-offsets: expected a topic of the source (${[...(source.topics ?? [pattern]), ...beside].join(', ')}), got ${stranger}`,
    );
  const isFeedbackChosen = feedbackTopic !== undefined && topics.includes(feedbackTopic);
  return { source: { ...others, topics }, ...(isFeedbackChosen ? {} : { feedback: undefined }) };
}

/** What is asked for, of the partitions that have something of it. */
async function resolveRanges(options: ReplayCommandOptions, group: KafkaGroup): Promise<ReplayRange[]> {
  const beginnings = await group.offsets('earliest');
  const ends = await group.offsets('latest');
  if (beginnings.length === 0) throw new MisconfiguredError('replay: expected topics that exist, got none');
  if (options.fromOffsets !== undefined)
    return withinTopic(parseOffsets(options.fromOffsets), beginnings, ends);
  const from = parseTime('--from-time', options.fromTime!);
  const starts = await group.offsets(from);
  const to = options.toTime === undefined ? undefined : parseTime('--to-time', options.toTime);
  if (to !== undefined && to <= from)
    throw new MisconfiguredError('--to-time: expected a time after --from-time');
  const stops = to === undefined ? ends : await group.offsets(to);
  return ends
    .map(({ topic, partition, offset: end }) => {
      const start = offsetOf(starts, { topic, partition }) ?? end;
      return { topic, partition, from: start, to: offsetOf(stops, { topic, partition }) ?? end };
    })
    .filter((range) => range.from < range.to);
}

/** Where reading begins: behind what the replay's own archive has already. */
function beginsOf(
  ranges: readonly ReplayRange[],
  archived: readonly ArchivedPosition[],
  label: string,
  store: Store,
): CommittedPosition[] {
  const begins = ranges.map(({ topic, partition, from, to }): CommittedPosition => {
    const known = archived.find((each) => each.topic === topic && each.partition === partition);
    if (!known) return { topic, partition, offset: from, transaction: '' };
    if (known.from !== from || known.offset > to) {
      throw new MisconfiguredError(
        `--label ${label}: expected a replay of ${topic}:${partition} from ${from} to ${to - 1}, but ${store.description} has one from ` +
          `${known.from} to ${known.offset - 1}; take another label`,
      );
    }
    return { topic, partition, offset: known.offset, transaction: known.transaction };
  });
  if (ranges.length === 0) throw new MisconfiguredError('replay: expected messages in the range, got none');
  if (ranges.every(({ to }, index) => begins[index]!.offset >= to)) {
    throw new MisconfiguredError(
      `--label ${label}: done already, ${store.description} has all of it; take another label to do it again`,
    );
  }
  return begins;
}

/** Sets the start of the group; positions that it has committed itself are further, or as far. */
async function begin(
  group: KafkaGroup,
  ranges: readonly ReplayRange[],
  begins: readonly CommittedPosition[],
): Promise<void> {
  const committed = await group.committed();
  const missing = begins.filter((position) => offsetOf(committed, position) === undefined);
  for (const range of ranges) {
    const offset = offsetOf(committed, range);
    if (offset !== undefined && (offset < range.from || offset > range.to))
      throw new MisconfiguredError(
        `the consumer group of this replay stands at ${offset} of ${range.topic}:${range.partition}, outside of ${range.from} to ${range.to}: take another label`,
      );
  }
  if (missing.length > 0) await group.begin(missing);
}

/** Whether the end was reached, and nobody stopped it before. */
async function runTo(
  config: Config,
  ranges: readonly ReplayRange[],
  begins: readonly CommittedPosition[],
  options: ReplayCommandOptions,
): Promise<boolean> {
  const until = ranges.map(({ topic, partition, to }) => ({ topic, partition, offset: to }));
  const events = createEvents(config.log.level);
  const pipeline = createPipeline(config, events, { until });
  let isStopped = false;
  const off = onStopSignal((signal) => {
    isStopped = true;
    events.stopRequested(signal);
    pipeline.stop();
  });
  const stopBar = showProgress(
    pipeline,
    ranges.reduce((sum, { to }, index) => sum + to - begins[index]!.offset, 0),
  );
  try {
    const totals = await pipeline.run({ untilEnd: true });
    stopBar();
    print(
      options.json
        ? JSON.stringify(totals)
        : `${totals.rows} rows archived, ${totals.dead_letters} dead letters, ${totals.skipped} skipped`,
    );
    if (isStopped) print('stopped before its end: the same command goes on with it');
    return !isStopped;
  } finally {
    stopBar();
    off();
  }
}

/** A bar on a terminal; nothing elsewhere. Returns what ends it. */
function showProgress(pipeline: Pipeline, offsets: number): () => void {
  const bar = new SingleBar(
    {
      format: ' {bar} {percentage}% | {value} of {total} messages | {eta} s left',
      hideCursor: true,
      barsize: 30,
    },
    Presets.shades_classic,
  );
  bar.start(offsets, 0);
  const timer = setInterval(() => bar.update(pipeline.totals().messages), 200);
  return () => {
    clearInterval(timer);
    bar.stop();
  };
}

function planText(
  ranges: readonly ReplayRange[],
  begins: readonly CommittedPosition[],
  store: Store,
  label: string,
): string {
  const lines = ranges.map(({ topic, partition, from, to }, index) => {
    const done = begins[index]!.offset - from;
    return `  ${topic}:${partition} ${from} to ${to - 1}: ${to - from} offsets${done > 0 ? `, ${done} of them done` : ''}`;
  });
  return [`replay ${label} into ${store.description}`, ...lines].join('\n');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
