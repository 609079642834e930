import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createArchive, createDirectoryStore, type Archive } from './archive/index.ts';
import type { Config } from './config.ts';
import { HungError, InputError, messageOf } from './errors.ts';
import type { Events } from './events.ts';
import { createDeadLetterLimit, createFileSource, createInOrder, createPacer } from './ingest/index.ts';
import { createTotals, type Totals } from './totals.ts';
import type { ScoredBatch, Source, SourceHandlers, Store } from './types.ts';
import { startWorkers, type Workers } from './workers.ts';

/** A composed pipeline: run it once. */
export interface Pipeline {
  /**
   * Reads, classifies and archives until stopped, or with `untilEnd` until the input's end at that time; then flushes.
   * Rejects on the first failure: what was not committed is read again by the next run, what was committed is kept.
   */
  run(options: { readonly untilEnd: boolean }): Promise<Totals>;
  /** Tries everything that the configuration names; yields one line for each thing that works. */
  check(): AsyncGenerator<string>;
  /** Stops reading; `run` then flushes and resolves. */
  stop(): void;
  /** Counts so far. */
  totals(): Totals;
  /** How far reading is. */
  progress(): Progress;
}

/** Input bytes left to read and in all (0 where unknown), and the messages that were handed to workers so far. */
export interface Progress {
  readonly bytes: number;
  readonly totalBytes: number;
  readonly handedOver: number;
}

/** Batches in flight for each worker: one under way, two waiting. */
const BATCHES_PER_WORKER = 3;
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/**
 * The whole flow: source → classify (workers) → archive → commit. Batches of one partition are classified side by side
 * and put back into order, so that the archive's buffers always hold a whole prefix of each partition: any flush is
 * consistent with the offsets that it commits.
 */
export function createPipeline(config: Config, events: Events): Pipeline {
  const root = config.archive.store.path;
  const source: Source = createFileSource(config.source, {
    positionFile: join(root, '_sluice', `${config.name}.positions`),
  });
  const store: Store = createDirectoryStore({ path: root, owner: config.name });
  const totals = createTotals();
  let handedOver = 0;

  function archiveOf(workers: Workers, fail: (error: unknown) => void): Archive {
    return createArchive({
      config: config.archive,
      store,
      version,
      encode: (task) => workers.encode(task),
      commit: (token, positions, transaction) => source.commit(token, positions, transaction),
      onFlush: (report) => {
        totals.flushed(report);
        events.flushed(report);
      },
      onPublishRetry: (fields) => events.publishRetried(fields),
      onFailure: fail,
    });
  }

  function handlersOf(workers: Workers, archive: Archive, fail: (error: unknown) => void) {
    const pacer = createPacer(config.ingest.in_flight_bytes);
    // Enough to keep the workers busy; more would only be waited for when the pipeline stops.
    const slots = createPacer(workers.count * BATCHES_PER_WORKER);
    const withinLimit = createDeadLetterLimit(config.ingest.dead_letters.max_consecutive);
    const order = createInOrder<{ parts: ScoredBatch[]; token: number }>(({ parts, token }) => {
      for (const scored of parts) {
        withinLimit(scored);
        archive.add(scored, token);
        totals.scored(scored);
        if (scored.deadLetters.length > 0) events.deadLettered(countCodes(scored));
      }
    });
    const handlers: SourceHandlers = {
      async assigned(assignment) {
        events.assignmentRecovered(await archive.recover(assignment));
      },
      async batch(batch, token) {
        await archive.room();
        const bytes = batch.bytes.length;
        await slots.enter(1);
        await pacer.enter(bytes);
        handedOver += batch.rows;
        const work = workers.classify(batch).then((parts) => ({ parts, token }));
        order
          .submit(`${batch.topic}-${batch.partition}`, work)
          .catch(fail)
          .finally(() => {
            pacer.leave(bytes);
            slots.leave(1);
          });
      },
      async revoked() {
        await order.drain();
        await archive.flush('revoke');
      },
    };
    return { handlers, order };
  }

  return {
    async run({ untilEnd }) {
      const started = performance.now();
      await source.check();
      await store.check();
      const workers = await startWorkers(config, events);
      let failure: { error: unknown } | undefined;
      const fail = (error: unknown) => {
        failure ??= { error };
        source.stop();
      };
      const archive = archiveOf(workers, fail);
      try {
        const { handlers, order } = handlersOf(workers, archive, fail);
        events.pipelineStarted({
          pipeline: config.name,
          inputs: config.source.inputs,
          store: root,
          model: workers.model ?? 'drop',
          workers: workers.count,
        });
        await source.run(handlers, { untilEnd }).catch(fail);
        await order.drain().catch(fail);
        // The buffers hold a whole prefix: what came before unreadable input is good, and worth its flush. Not so a run
        // of dead letters: with its beginning settled, the next start would count it anew, and in the end settle it all.
        if (!failure || failure.error instanceof InputError) await archive.flush('end');
      } catch (error) {
        fail(error);
      }
      await archive.close();
      await workers.close();
      await Promise.all([source.close(), store.close()]);
      if (failure) throw explained(failure.error, workers);
      totals.value.seconds = (performance.now() - started) / 1000;
      events.pipelineStopped(totals.value);
      return totals.value;
    },

    async *check() {
      await source.check();
      yield `source: ${config.source.inputs.join(', ')} can be read`;
      const workers = await startWorkers(config, events, 1);
      yield `classify: ${workers.model ?? 'drop (nothing is scored)'}`;
      await workers.close();
      await store.check();
      yield `archive: ${root} can be written`;
      await Promise.all([source.close(), store.close()]);
    },

    stop: () => source.stop(),
    totals: () => totals.value,
    progress: () => ({ ...(source.remaining() ?? { bytes: 0, totalBytes: 0 }), handedOver }),
  };
}

/** A thread that hangs decides how the process ends, whatever failed first. */
function explained(error: unknown, workers: Workers): unknown {
  const hung = workers.hung();
  if (!hung || error instanceof HungError) return error;
  return new HungError(`${messageOf(error)}; and then ${hung.message}`);
}

function countCodes({ deadLetters }: ScoredBatch): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of deadLetters) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
