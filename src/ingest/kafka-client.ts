import type { CommittedPosition } from '../ports.ts';
import type { Partition, Position, RawBatch } from '../types.ts';

/**
 * Where to look up an offset: the first that is kept; the end, behind the last message that a read_committed consumer may
 * see (the last stable offset); or the first message at or after a time (milliseconds UTC; the end where there is none).
 */
export type OffsetAt = 'earliest' | 'latest' | number;

/** What one attempt to commit came to. */
export type CommitOutcome =
  | { readonly kind: 'committed' }
  /** Refused for good, nothing was committed: another generation, another member, not in the group. */
  | { readonly kind: 'fenced'; readonly detail: string }
  /** Worth another attempt: the coordinator moved or loads. `unanswered`: the attempt may have been committed all the same. */
  | { readonly kind: 'retry'; readonly detail: string; readonly unanswered: boolean };

/** What a {@link KafkaClient} calls. None of these may throw or reject, but for `batch` and `assigned`, which end the client then. */
export interface KafkaClientHandlers {
  /**
   * The member owns exactly these partitions from now on, which may be none. Called once for each generation, or for each
   * change of a cooperative assignment, with a token that this client never gave before. Nothing of them is read before
   * {@link KafkaClient.read} is called for it. Heartbeats go on while it is awaited, and so may a rebalance: then `revoked`
   * or `lost` is called for the token without waiting for this to resolve.
   */
  assigned(token: number, partitions: readonly Partition[]): Promise<void>;
  /**
   * Anything of the assignment is about to change. Awaited before the group is rejoined (before the change is acknowledged),
   * while heartbeats go on and `commit` still works under the token; but at most `limit` milliseconds, then `commit` is
   * refused. No batch of the token is handed over after this is called.
   */
  revoked(token: number, limit: number): Promise<void>;
  /** The member was put out of the group, or missed its session time-out: commits of the token are refused already. */
  lost(token: number): void;
  /**
   * Consecutive messages of one partition, from a fetch at offset `batch.first`. One call at a time for each partition;
   * nothing more of it is fetched before the promise resolves (at most what one fetch brought is held). A fetch that brought
   * only control records or aborted messages makes a batch with 0 rows whose `next` lies behind them. `end` is the last
   * stable offset as the fetch saw it.
   */
  batch(batch: RawBatch, token: number, end: number): Promise<void>;
  /** The offset to read does not exist (any more). The partition stays unread until `read` is called for it. */
  outOfRange(position: Position, token: number): void;
  /** Something failed that is tried again for as long as it takes: a lost connection, a broker that is away. */
  retrying(operation: string, error: Error): void;
  /** Nothing can be read any more, ever: wrong credentials, a missing permission, a codec that nobody knows. Called once. */
  failed(error: Error): void;
}

/**
 * A member of a Kafka consumer group, as Sluice needs it. Adapters pass test/contract/source.ts through
 * {@link createKafkaSource}, which owns recovery, start offsets, ends and lag; an adapter owns connections, membership and
 * heartbeats, which go on whatever handlers are awaited, and never ends a session because a handler is slow.
 */
export interface KafkaClient {
  /** Joins the group, and rejoins it whenever it must, until `close`. Returns at once; what fails for good goes to `failed`. */
  start(handlers: KafkaClientHandlers): void;
  /** Reads these partitions from these offsets; forgets what was fetched of them before. Partitions that are not owned are ignored. */
  read(token: number, positions: readonly Position[]): void;
  /** Reads these partitions no further. The batch under way is not interrupted. */
  pause(partitions: readonly Partition[]): void;
  /**
   * One attempt to commit, in one request, with `metadata` for each partition. With the generation and member of the token,
   * whatever the present ones are. A token that has ended is `fenced` without asking the broker.
   */
  commit(token: number, positions: readonly Position[], metadata: string): Promise<CommitOutcome>;
  /** Committed positions of the whole group, members' and topics' of all kinds, with their metadata; tries again for a while, then throws RetryableError. */
  committed(): Promise<readonly CommittedPosition[]>;
  /** Partitions of all topics that are subscribed; tries again for a while, then throws RetryableError. */
  partitions(): Promise<readonly Partition[]>;
  /** Looks up offsets; partitions that do not exist (any more) are left out. Tries again for a while, then throws RetryableError. */
  offsets(partitions: readonly Partition[], at: OffsetAt): Promise<readonly Position[]>;
  /**
   * Reads nothing more, but stays a member, so that a last commit is possible. At the next rebalance `revoked` is called and
   * the group is left instead of joined again.
   */
  stop(): void;
  /** Leaves the group at once, so that others take over without waiting for the session to time out, and ends all connections. */
  close(): Promise<void>;
}
