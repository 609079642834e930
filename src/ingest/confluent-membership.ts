import { setTimeout as sleep } from 'node:timers/promises';
import type { Partition } from '../types.ts';
import { CODE } from './confluent-errors.ts';
import type { LibraryConsumer } from './confluent-library.ts';
import { isSame } from './kafkajs-lookups.ts';

/** What {@link createMembership} needs. Handlers are those of {@link KafkaClientHandlers}. */
export interface MembershipOptions {
  readonly consumer: LibraryConsumer;
  /** Longest that a change of assignment may be held, milliseconds. */
  readonly limit: number;
  readonly onAssigned: (token: number, partitions: readonly Partition[]) => Promise<void>;
  /** Nothing may be handed over of the token from now on. */
  readonly onEnding: () => void;
  readonly onRevoked: (token: number, limit: number) => Promise<void>;
  readonly onLost: (token: number) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Turns librdkafka's rebalances into assignments with tokens. */
export interface Membership {
  /** librdkafka's rebalance callback: it waits, however long, until assign or unassign is called. */
  rebalance(code: number, partitions: readonly Partition[]): void;
  /** Whether commits are possible under the token, as far as is known here; the broker knows better. */
  holds(token: number): boolean;
  owns(partition: Partition): boolean;
  /** Fetches nothing more, and leaves the group at the next rebalance. */
  stop(): void;
  /** Ends the token at once; revocations from now on are agreed to without a word. */
  close(): void;
}

/**
 * Where assigned partitions stand, paused, until they are read. Without an offset, or with one that has to be asked for
 * (the end), librdkafka asks, and what it is told late replaces what was sought meanwhile.
 */
const NOWHERE = 0;

/** Makes the membership of one consumer. */
export function createMembership(options: MembershipOptions): Membership {
  const { consumer, limit } = options;
  const closing = new AbortController();
  let tokens = 0;
  let current: { readonly token: number; isAlive: boolean } | undefined;
  let owned: readonly Partition[] = [];
  let isStopping = false;
  let changes: Promise<void> = Promise.resolve();

  const isIncremental = () => consumer.rebalanceProtocol() === 'COOPERATIVE';

  async function gain(added: readonly Partition[]): Promise<void> {
    // Others' partitions changed hands; what is owned here stays.
    const isUnchanged = added.length === 0 && current !== undefined && isIncremental();
    if (!isUnchanged) await release(false);
    if (closing.signal.aborted) return;
    const positions = added.map(({ topic, partition }) => ({ topic, partition, offset: NOWHERE }));
    if (isIncremental()) {
      consumer.incrementalAssign(positions);
      owned = [...owned, ...added];
    } else {
      consumer.assign(positions);
      owned = added;
    }
    if (isStopping) consumer.unsubscribe();
    else if (!isUnchanged) announce();
  }

  async function lose(removed: readonly Partition[]): Promise<void> {
    const isLost = consumer.assignmentLost();
    await release(isLost);
    if (isIncremental()) {
      consumer.incrementalUnassign(removed);
      owned = owned.filter((each) => !removed.some((other) => isSame(each, other)));
    } else {
      consumer.unassign();
      owned = [];
    }
    if (closing.signal.aborted) return;
    if (isStopping) consumer.unsubscribe();
    // An eager group, or one that was lost, is joined anew, and then says what is owned.
    else if (isIncremental() && !isLost) announce();
  }

  function announce(): void {
    // Incremental rebalances begin so for a member that others make room for; a run to the end must not end there.
    if (owned.length === 0 && isIncremental()) return;
    // What is kept goes on from what is committed, like everything else: not before it is read.
    if (owned.length > 0) consumer.pause(owned);
    const token = ++tokens;
    current = { token, isAlive: true };
    options.onAssigned(token, owned).catch(options.onFailed);
  }

  /** Ends the token, with a last flush when there is time. */
  async function release(isLost: boolean): Promise<void> {
    const ending = current;
    if (!ending) return;
    options.onEnding();
    if (isLost) {
      ending.isAlive = false;
      options.onLost(ending.token);
    } else {
      const done = new AbortController();
      const late = sleep(limit, undefined, { signal: AbortSignal.any([done.signal, closing.signal]) });
      await Promise.race([options.onRevoked(ending.token, limit), late.catch(() => undefined)]);
      done.abort();
      ending.isAlive = false;
    }
    current = undefined;
  }

  return {
    rebalance(code, partitions) {
      const change = () => (code === CODE.assignPartitions ? gain(partitions) : lose(partitions));
      changes = changes.then(change).catch((error: unknown) => {
        if (!closing.signal.aborted) options.onFailed(error);
      });
    },
    holds: (token) => current?.token === token && current.isAlive && !consumer.assignmentLost(),
    owns: (partition) => owned.some((each) => isSame(each, partition)),
    stop() {
      isStopping = true;
      if (current && owned.length > 0) consumer.pause(owned);
    },
    close() {
      if (current) current.isAlive = false;
      current = undefined;
      closing.abort();
    },
  };
}
