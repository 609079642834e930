import type { Position } from '../types.ts';
import { commitOutcome } from './confluent-errors.ts';
import type { LibraryConsumer, LibraryError } from './confluent-library.ts';
import type { CommitOutcome } from './kafka-client.ts';

/** Commits of one consumer, each with its answer. */
export interface Commits {
  /** One attempt; `isAllowed` is asked right before it is sent. Throws MisconfiguredError for what no further attempt mends. */
  commit(positions: readonly Position[], metadata: string, isAllowed: () => boolean): Promise<CommitOutcome>;
  /** librdkafka's offset commit callback: the answer to the one under way. It comes while messages are polled. */
  answered(error: LibraryError | undefined): void;
  /** Whether an answer is due. */
  isWaiting(): boolean;
  /** No more answers come. */
  close(): void;
}

/**
 * Makes the commits of one consumer; `onSent` is called when an answer begins to be due. They go one after the other: the answer names nothing that would tell two apart. The
 * library has other ways to commit, but `commitCb` calls back when a commit was queued, not when it was answered, and
 * `commitSync` blocks the thread for as long as the brokers are away.
 */
export function createCommits(consumer: Pick<LibraryConsumer, 'commit'>, onSent: () => void): Commits {
  let turns: Promise<unknown> = Promise.resolve();
  let isWaiting = false;
  let answer: (outcome: () => CommitOutcome) => void = () => undefined;
  let isClosed = false;

  function attempt(
    positions: readonly Position[],
    metadata: string,
    isAllowed: () => boolean,
  ): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      answer = (outcome) => {
        answer = () => undefined;
        isWaiting = false;
        try {
          resolve(outcome());
        } catch (error) {
          reject(error);
        }
      };
      if (isClosed || !isAllowed()) {
        answer(() => ({ kind: 'fenced', detail: 'the assignment has ended' }));
        return;
      }
      try {
        // The library ends metadata with a NUL, the empty ones too; whoever reads them takes it off.
        consumer.commit(positions.map((each) => (metadata === '' ? each : { ...each, metadata })));
        isWaiting = true;
        onSent();
      } catch (error) {
        answer(() => commitOutcome(error));
      }
    });
  }

  return {
    commit(positions, metadata, isAllowed) {
      const outcome = turns.then(() => attempt(positions, metadata, isAllowed));
      turns = outcome.catch(() => undefined);
      return outcome;
    },
    isWaiting: () => isWaiting,
    answered(error) {
      answer(() => (error ? commitOutcome(error) : { kind: 'committed' }));
    },
    close() {
      isClosed = true;
      answer(() => ({
        kind: 'retry',
        detail: 'the connection was closed before an answer came',
        unanswered: true,
      }));
    },
  };
}
