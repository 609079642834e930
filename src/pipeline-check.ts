import { openFanOut } from './adapters.ts';
import type { ClassifyFacts } from './classify/index.ts';
import type { Config } from './config.ts';
import { describeClassify } from './describe-classify.ts';
import { MisconfiguredError, isOperational, messageOf } from './errors.ts';
import type { Events } from './events.ts';
import type { Source, Store } from './ports.ts';
import { checkLabels, type DeadLetterTopic, type FanOut } from './sinks/index.ts';
import { startWorkers } from './workers.ts';

/** Throws MisconfiguredError when a sink waits for what no model, hash list or policy ever gives. */
export function checkFilters({ branches }: FanOut, { reasons }: Pick<ClassifyFacts, 'reasons'>): void {
  for (const { name, filters } of branches) checkLabels(name, filters, reasons);
}

/**
 * Tries everything that a configuration names, side by side; yields a line for each thing that works, in order. Then throws one
 * MisconfiguredError with a line for each that does not: whoever sets something up wants to hear of all of it at once.
 * Closes what it is given.
 */
export async function* checkPipeline(
  config: Config,
  events: Events,
  opened: {
    readonly source: Source;
    readonly store: Store;
    readonly deadLetters: DeadLetterTopic | undefined;
  },
): AsyncGenerator<string, void, undefined> {
  const { source, store, deadLetters } = opened;
  const fanOut = await openFanOut(config, events);
  const checks = [
    async () => {
      await source.check();
      return `source: ${source.description} can be read`;
    },
    async () => {
      const workers = await startWorkers(config, events, { count: 1 });
      await workers.close();
      checkFilters(fanOut, workers.facts);
      return describeClassify(workers);
    },
    async () => {
      await store.check();
      return `archive: ${store.description} can be written`;
    },
    ...(deadLetters ? [deadLetters] : []).map((letters) => async () => {
      await letters.check();
      return `dead letters: topic ${letters.topic} can be written`;
    }),
    ...fanOut.branches.map(({ name, sink }) => async () => {
      await sink.check();
      return `sinks.${name}: ${sink.description} can be told`;
    }),
  ];
  try {
    const results = checks.map((check) => Promise.allSettled([check()]));
    const problems: string[] = [];
    for (const result of results) {
      const [settled] = await result;
      if (settled.status === 'fulfilled') yield settled.value;
      else if (isOperational(settled.reason)) problems.push(messageOf(settled.reason));
      else throw settled.reason;
    }
    if (problems.length > 0) throw new MisconfiguredError(problems.join('\n'));
  } finally {
    await Promise.all([source.close(), store.close(), deadLetters?.close(), fanOut.close()]);
  }
}
