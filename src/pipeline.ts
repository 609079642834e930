import { readFileSync } from 'node:fs';
import { openDeadLetterTopic, openFanOut, openSource, openStore } from './adapters.ts';
import { createArchive, type Archive } from './archive/index.ts';
import type { ClassifyFacts } from './classify/index.ts';
import type { Config } from './config.ts';
import { openDeliveries, type Deliveries } from './deliver.ts';
import { AbandonedError, FencedError, HungError, InputError, RetryableError, messageOf } from './errors.ts';
import type { Events } from './events.ts';
import { createDeadLetterLimit, createInOrder, createPacer, type ArchiveSlice } from './ingest/index.ts';
import { checkFilters, checkPipeline } from './pipeline-check.ts';
import { refusalLetter } from './refusal-letter.ts';
import { watchClassify } from './reload.ts';
import { startPipelineServer } from './pipeline-server.ts';
import type { Server } from './server.ts';
import type { FanOut } from './sinks/index.ts';
import { patiently, stopDeadline, within } from './lifecycle.ts';
import { free } from './memory.ts';
import { createTotals, type Totals } from './totals.ts';
import type { SourceHandlers } from './ports.ts';
import type { Position, ScoredBatch } from './types.ts';
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

/** What a caller may decide beside the configuration. */
export interface PipelineOptions {
  /** Where reading ends instead of at the partitions' ends; see `sluice replay`. */
  readonly until?: readonly Position[];
  /** What is read of files of an archive; see `sluice score`. */
  readonly slice?: ArchiveSlice;
  /** Bytes of inputs in S3, where they are known. */
  readonly sizes?: ReadonlyMap<string, number>;
}

/** Batches in flight for each worker: one under way, two waiting. */
const BATCHES_PER_WORKER = 3;
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/**
 * The whole flow: source → classify (workers) → sinks → archive → commit. Batches of one partition are classified and told
 * side by side and put back into order, so that the archive's buffers always hold a whole prefix of each partition: any
 * flush is consistent with the offsets that it commits, and everybody was told what it holds.
 */
export function createPipeline(config: Config, events: Events, options: PipelineOptions = {}): Pipeline {
  const store = openStore(config);
  const source = openSource(config, store, events, options);
  const deadLetters = openDeadLetterTopic(config);
  const totals = createTotals();
  const pacer = createPacer(config.ingest.in_flight_bytes);
  const stopping = new AbortController();
  const unanswered = new AbortController();
  let handedOver = 0;
  let recovering = true;

  function stop(): void {
    stopping.abort(new RetryableError('stopped before everything that it needs had answered'));
    source.stop();
  }

  function archiveOf(workers: Workers, fail: (error: unknown) => void): Archive {
    return createArchive({
      config: config.archive,
      store,
      pipeline: config.name,
      version,
      encode: (task) => workers.encode(task),
      commit: (token, positions, transaction) => source.commit(token, positions, transaction),
      readable: (positions) => source.readable(positions),
      deadLetterFiles: config.dead_letters.files,
      onDeadLetters: deadLetters && ((letters) => deadLetters.send(letters)),
      onFlush: (report) => {
        totals.flushed(report);
        events.flushed(report);
      },
      onRetry: (retry) => events.storeRetried(retry),
      onLost: (lost) => events.transactionLost(lost),
      onSweepFailed: (error) => events.sweepFailed(error),
      onFenced: (error) => events.fenced(error),
      onFailure: fail,
    });
  }

  /** Tells the sinks; what they refuse goes on with the batch. */
  async function tell(fanOut: FanOut, scored: ScoredBatch): Promise<ScoredBatch> {
    if (!scored.decisions) return scored;
    const refused = await fanOut.deliver(scored.decisions);
    if (refused.length === 0) return scored;
    events.refused(refused);
    return { ...scored, refusals: refused.map(refusalLetter) };
  }

  function handlersOf(workers: Workers, fanOut: FanOut, archive: Archive, fail: (error: unknown) => void) {
    // Enough to keep the workers busy; more would only be waited for when the pipeline stops.
    const slots = createPacer(workers.count * BATCHES_PER_WORKER);
    let current = NaN;
    let withinLimit = createDeadLetterLimit(config.ingest.dead_letters.max_consecutive);
    const order = createInOrder<{ parts: ScoredBatch[]; token: number }>(({ parts, token }) => {
      for (const scored of parts) {
        // Its next owner reads it, and counts it.
        if (token !== current) continue;
        withinLimit(scored);
        archive.add(scored, token);
        totals.scored(scored);
        events.batchScored(scored);
        free(scored.arena);
      }
    });
    const handlers: SourceHandlers = {
      async assigned(assignment) {
        current = assignment.token;
        events.assigned(assignment.partitions.length);
        // What was read and not committed is read again, and must not count twice.
        withinLimit = createDeadLetterLimit(config.ingest.dead_letters.max_consecutive);
        recovering = true;
        try {
          events.assignmentRecovered(await archive.recover(assignment));
          recovering = false;
        } catch (error) {
          // It ended before it could begin: another one follows, unless the source's run ends by the same error.
          if (!(error instanceof FencedError)) throw error;
          events.fenced(error);
        }
      },
      async batch(batch, token) {
        await archive.room();
        const bytes = batch.bytes.length;
        await slots.enter(1);
        await pacer.enter(bytes);
        handedOver += batch.rows;
        const work = workers.classify(batch, unanswered.signal).then(async (scored) => {
          // Its next owner reads it, and tells it.
          if (token !== current) return { parts: scored, token };
          return { parts: await Promise.all(scored.map((part) => tell(fanOut, part))), token };
        });
        order
          .submit(`${batch.topic}-${batch.partition}`, work)
          .catch(fail)
          .finally(() => {
            pacer.leave(bytes);
            slots.leave(1);
          });
      },
      async revoked(token, limit) {
        // What waits for a sink that does not answer is the next owner's; what is flushed is not told again.
        const flushed = within(limit / 4, order.drain()).then(() => archive.flush('revoke'));
        await within(limit, flushed).catch((error: unknown) => {
          // Fenced already: it is over, and its messages are read again.
          if (!(error instanceof FencedError)) fail(error);
        });
        archive.drop(token);
        current = NaN;
        events.unassigned({ reason: 'revoked', token });
      },
      lost(token) {
        archive.drop(token);
        current = NaN;
        events.unassigned({ reason: 'lost', token });
      },
    };
    return { handlers, order };
  }

  return {
    async run({ untilEnd }) {
      const started = performance.now();
      const fanOut = await openFanOut(config, events);
      const { deliveries, workers } = await prepare(fanOut);
      let failure: { error: unknown } | undefined;
      const fail = (error: unknown) => {
        failure ??= { error };
        stop();
      };
      const archive = archiveOf(workers, fail);
      const { handlers, order } = handlersOf(workers, fanOut, archive, fail);
      // A sink, or a model on a server, that does not answer leaves half of the time to the last flush.
      const patience = stopDeadline(stopping.signal, config.stop_timeout / 2, () => {
        fanOut.abandon();
        unanswered.abort(new AbandonedError('stopped before the server of a model had answered'));
      });
      const deadline = stopDeadline(stopping.signal, config.stop_timeout, () => {
        archive.abandon();
        // A commit that brokers do not answer ends with the assignment.
        source.close().catch(fail);
      });
      const reload = watchClassify(config.classify, workers, {
        events: events.classify,
        onFailure: fail,
      });
      // Nothing new is loaded beside the last flush; what is on its way has its time to end.
      stopping.signal.addEventListener('abort', () => void reload.stop());
      let server: Server | undefined;
      try {
        deliveries.start();
        stopping.signal.addEventListener('abort', () => void deliveries.stop(config.stop_timeout));
        server = await startPipelineServer(config, events, {
          lag: () => source.lag(),
          buffered: () => archive.bytes(),
          inFlight: () => pacer.inFlight(),
          measure: () => deliveries.measure(),
          unready() {
            if (failure) return messageOf(failure.error);
            return recovering ? 'waiting for an assignment, or recovering it' : undefined;
          },
        });
        events.pipelineStarted({
          pipeline: config.name,
          source: source.description,
          store: store.description,
          model: workers.facts.model ?? 'drop',
          runs_on: workers.facts.models.map(({ name, runsOn }) => `${name}: ${runsOn}`),
          workers: workers.count,
        });
        await source.run(handlers, { untilEnd }).catch(fail);
        await order.drain().catch(fail);
        // The buffers hold a whole prefix: what came before unreadable input, or a sink that gave up, is worth its flush. Not
        // so a run of dead letters: its beginning settled, the next start would count anew, and in the end settle it all.
        const isWorthIt = [InputError, AbandonedError].some((kind) => failure?.error instanceof kind);
        if (!failure || isWorthIt) await archive.flush('end');
        if (!failure && untilEnd) totals.value.webhooks_waiting = await deliveries.drain(config.stop_timeout);
      } catch (error) {
        fail(error);
      }
      patience.clear();
      deadline.clear();
      await deliveries.stop(config.stop_timeout);
      await archive.close();
      await reload.stop();
      await workers.close();
      await Promise.all([closeAll(fanOut), server?.close()]);
      // Also a thread that never finished loading a new version keeps the process from ending by itself.
      const error = deadline.error(failure?.error) ?? failure?.error ?? workers.hung();
      if (error !== undefined) throw explained(error, workers);
      totals.value.seconds = (performance.now() - started) / 1000;
      events.pipelineStopped(totals.value);
      return totals.value;
    },

    check: () => checkPipeline(config, events, { source, store, deadLetters }),
    stop,
    totals: () => totals.value,
    progress: () => ({ ...(source.remaining() ?? { bytes: 0, totalBytes: 0 }), handedOver }),
  };

  /** Waits for what everything needs, then starts it; nothing stays open when that fails. */
  async function prepare(fanOut: FanOut): Promise<{ deliveries: Deliveries; workers: Workers }> {
    const patience = { signal: stopping.signal, onDelay: (error: Error) => events.startDelayed(error) };
    let deliveries: Deliveries | undefined;
    let workers: Workers | undefined;
    try {
      for (const each of [source, store, deadLetters, ...fanOut.branches.map(({ sink }) => sink)])
        if (each) await patiently(() => each.check(), patience);
      const opened = await openDeliveries(config, events, 'in_run');
      deliveries = opened;
      await patiently(() => opened.check(), patience);
      const accept = (facts: ClassifyFacts) => checkFilters(fanOut, facts);
      workers = await patiently(() => startWorkers(config, events, { accept }), patience);
      return { deliveries, workers };
    } catch (error) {
      await Promise.all([deliveries?.stop(0), workers?.close(), closeAll(fanOut)]);
      throw error;
    }
  }

  async function closeAll(fanOut: FanOut): Promise<void> {
    await Promise.all([source.close(), store.close(), deadLetters?.close(), fanOut.close()]);
  }
}

/** A thread that hangs decides how the process ends, whatever failed first. */
function explained(error: unknown, workers: Workers): unknown {
  const hung = workers.hung();
  if (!hung || error instanceof HungError) return error;
  return new HungError(`${messageOf(error)}; and then ${hung.message}`);
}
