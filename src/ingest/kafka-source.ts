import { setTimeout as sleep } from 'node:timers/promises';
import { FencedError, InputError, RetryableError } from '../errors.ts';
import type { Source, SourceHandlers } from '../ports.ts';
import type { Partition, Position } from '../types.ts';
import { createBackoff } from './backoff.ts';
import type { KafkaSourceConfig } from './config.ts';
import { createEnds } from './ends.ts';
import { readAssignment, type StartOptions } from './kafka-assignment.ts';
import { checkKafka } from './kafka-check.ts';
import type { KafkaSourceOptions } from './kafka-source-options.ts';
import { createKafkajsClient } from './kafkajs-client.ts';
import { createLanes, type Lanes } from './lanes.ts';
import { partitionKey } from './partition-key.ts';

/** The present assignment, or the one before while its end is under way. */
interface Held {
  readonly token: number;
  readonly lanes: Lanes;
  /** The handler knows of it. */
  announced: boolean;
  /** Reading has begun: the handler has recovered what the commits name. */
  ready: boolean;
  /** The handler flushes for the last time. */
  isRevoking: boolean;
  alive: boolean;
}

/**
 * Topics of Kafka as a source, by a consumer group, exactly once with the archive's transaction: the metadata of each commit
 * name the transaction, and the group's generation fences it. It survives brokers that restart, move or are away, for as
 * long as it takes; `run` rejects only for what no waiting mends. A partition that the group never committed begins where the ledger
 * says, else (in a group without any commit) at `source.start`, and that is committed at once, so that it is decided once.
 */
export function createKafkaSource(config: KafkaSourceConfig, options: KafkaSourceOptions): Source {
  const { kafka, group, until, onRetrying, lagMillis = 10_000 } = options;
  const closing = new AbortController();
  const beside = options.feedbackTopic === undefined ? [] : [options.feedbackTopic];
  const client = (options.createClient ?? createKafkajsClient)({ kafka, source: config, group, beside });
  let held: Held | undefined;
  let stopped = false;
  let listener: SourceHandlers | undefined;
  let running: { readonly finish: (failure?: { readonly error: unknown }) => void } | undefined;
  /** Calls of handlers that have not settled. */
  const calls = new Set<Promise<unknown>>();
  let previous: Promise<unknown> = Promise.resolve();

  const start: StartOptions = {
    client,
    at: config.start,
    commit,
    ...(options.ledger ? { ledger: options.ledger } : {}),
  };

  const isAlive = (each: Held) => each.alive && held === each && !closing.signal.aborted;

  function track<Result>(call: Promise<Result>): Promise<Result> {
    calls.add(call);
    const settled = () => calls.delete(call);
    call.then(settled, settled);
    return call;
  }

  /** What a handler throws ends the run; but not what it throws because its assignment has ended. */
  function failed(each: Held, error: unknown): void {
    if (error instanceof FencedError && !isAlive(each)) return;
    running?.finish({ error });
  }

  /** Asks until there is an answer, or nobody needs it. */
  async function insist<Result>(each: Held, ask: () => Promise<Result>): Promise<Result | undefined> {
    while (isAlive(each)) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof RetryableError)) throw error;
        onRetrying?.('look-up', error);
      }
    }
    return undefined;
  }

  async function begin(
    each: Held,
    partitions: readonly Partition[],
    handlers: SourceHandlers,
  ): Promise<void> {
    const { token } = each;
    const assignment = await insist(each, () => readAssignment(token, partitions, start));
    if (!assignment) return;
    each.lanes.assign(assignment.partitions);
    // The handler of the assignment before may still be busy with its end.
    await previous;
    if (!isAlive(each) || stopped) return;
    each.announced = true;
    const recovered = track(handlers.assigned(assignment));
    previous = recovered.catch(() => undefined);
    await recovered;
    const targets = await insist(each, () => ends.targets(partitions));
    if (targets === undefined || !isAlive(each) || stopped) return;
    each.ready = true;
    client.read(token, each.lanes.begin(targets));
    endIfRead(each);
  }

  async function commit(token: number, positions: readonly Position[], transaction: string): Promise<void> {
    const backoff = createBackoff(100, 2000);
    let mayHaveCommitted = false;
    for (;;) {
      const each = held;
      if (each?.token !== token || !isAlive(each)) {
        throw new FencedError(`group ${group}: assignment ${token} has ended`, { mayHaveCommitted });
      }
      const outcome = await client.commit(token, positions, transaction);
      if (outcome.kind === 'committed') {
        each.lanes.committed(positions);
        return;
      }
      if (outcome.kind === 'fenced') {
        // The broker has said it before a heartbeat could: what handlers throw for it must not end the run.
        lose(each);
        throw new FencedError(`group ${group}: commit refused: ${outcome.detail}`, { mayHaveCommitted });
      }
      mayHaveCommitted ||= outcome.unanswered;
      onRetrying?.('commit', new RetryableError(outcome.detail));
      await sleep(backoff.next(), undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  /** Ends an assignment without notice, once. */
  function lose(each: Held): void {
    if (!each.alive) return;
    each.alive = false;
    if (each.announced && !each.isRevoking) listener?.lost(each.token);
  }

  async function skipExpired(each: Held, position: Position): Promise<void> {
    const { topic, partition, offset: from } = position;
    const [earliest] = (await insist(each, () => client.offsets([position], 'earliest'))) ?? [];
    if (!earliest || !isAlive(each)) return;
    const { offset: to } = earliest;
    if (to <= from) {
      throw new InputError(
        `${topic}-${partition}: expected offset ${from}, got a log that ends before it: the topic was made anew, or its brokers ` +
          'lost what they had confirmed; archive it as a pipeline with another `name` and another prefix',
      );
    }
    options.onExpired?.({ topic, partition, from, to });
    each.lanes.reached(earliest, to);
    endIfRead(each);
    if (!each.lanes.isRead(earliest)) client.read(each.token, [earliest]);
  }

  function endIfRead(each: Held): void {
    if (each.ready && each.lanes.allRead()) running?.finish();
  }

  const ends = createEnds(client, until);
  const looking = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await sleep(lagMillis, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      if (!held?.ready || closing.signal.aborted) continue;
      const { lanes } = held;
      const found = await client.offsets(lanes.partitions(), 'latest').catch((error: unknown) => {
        if (!(error instanceof RetryableError)) throw error;
        return [];
      });
      for (const end of found) lanes.sawEnd(end, end.offset);
    }
  };

  return {
    description: `kafka ${kafka.brokers.join(', ')}, ${[...(config.topics ?? [`topics like ${config.pattern!}`]), ...beside].join(', ')}, group ${group}`,
    async check() {
      await options.loadClient?.();
      await checkKafka(kafka, config, group, options.feedbackTopic);
    },

    run(handlers, { untilEnd }) {
      return new Promise((resolve, reject) => {
        running = {
          finish(failure) {
            running = undefined;
            stopped = true;
            client.stop();
            // Later, since a handler may have called `stop` before its call was noted.
            const settled = Promise.resolve().then(() => Promise.allSettled(calls));
            if (failure) settled.then(() => reject(failure.error as Error), reject);
            else settled.then(() => resolve(), reject);
          },
        };
        if (stopped) {
          running.finish();
          return;
        }
        listener = handlers;
        if (untilEnd) ends.enable();
        looking().catch((error: unknown) => running?.finish({ error }));
        client.start({
          async assigned(token, partitions) {
            if (stopped) return;
            const each: Held = {
              token,
              lanes: createLanes(),
              announced: false,
              isRevoking: false,
              ready: false,
              alive: true,
            };
            held = each;
            await begin(each, partitions, handlers).catch((error: unknown) => failed(each, error));
          },
          async revoked(token, limit) {
            const each = held;
            if (each?.token !== token) return;
            if (each.ready && each.alive) {
              each.isRevoking = true;
              const flushed = track(handlers.revoked(token, limit));
              previous = flushed.catch(() => undefined);
              await flushed.catch((error: unknown) => failed(each, error));
              each.alive = false;
            } else {
              // Nothing was read: there is nothing to flush, and recovery is under way until it sees that it is over.
              lose(each);
            }
          },
          lost(token) {
            if (held?.token === token) lose(held);
          },
          async batch(batch, token, end) {
            const each = held;
            if (each?.token !== token || !isAlive(each) || stopped) return;
            const wanted = each.lanes.take(batch, end);
            try {
              if (wanted && wanted.rows > 0) await track(handlers.batch(wanted, token));
            } catch (error) {
              failed(each, error);
            }
            if (each.lanes.isRead(batch)) client.pause([batch]);
            endIfRead(each);
          },
          outOfRange(position, token) {
            const each = held;
            if (each?.token !== token) return;
            skipExpired(each, position).catch((error: unknown) => failed(each, error));
          },
          retrying: (operation, error) => onRetrying?.(operation, error),
          failed: (error) => running?.finish({ error }),
        });
      });
    },

    commit,

    async readable(positions) {
      const earliest = new Map(
        (await client.offsets(positions, 'earliest')).map((each) => [partitionKey(each), each]),
      );
      return positions.every((each) => {
        const first = earliest.get(partitionKey(each));
        return first !== undefined && first.offset <= each.offset;
      });
    },

    stop() {
      stopped = true;
      running?.finish();
    },
    remaining: () => null,
    lag: () => held?.lanes.lag() ?? [],
    async close() {
      closing.abort();
      if (held) held.alive = false;
      running?.finish();
      await client.close();
    },
  };
}
