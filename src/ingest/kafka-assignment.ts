import { InputError } from '../errors.ts';
import type { Assignment, CommittedPosition, Source } from '../ports.ts';
import type { Partition } from '../types.ts';
import type { KafkaClient } from './kafka-client.ts';
import { startPositions } from './start-positions.ts';

/** A position that a finished transaction settled. */
export interface LedgerPosition extends CommittedPosition {
  /** When it was archived, milliseconds UTC. */
  readonly createdAt: number;
}

/** How far the clock of a producer may be ahead of a process that archives, milliseconds. */
const CLOCK_SKEW = 60_000;

/** Where partitions begin that the group has not committed. */
export interface StartOptions {
  readonly client: KafkaClient;
  /** `earliest`, `latest` or an ISO 8601 time: in a group that never committed anything. */
  readonly at: string;
  /** Commits under the token; throws FencedError. */
  readonly commit: Source['commit'];
  /** Positions that finished transactions settled. */
  readonly ledger?: (partitions: readonly Partition[]) => Promise<readonly LedgerPosition[]>;
}

/**
 * The assignment of a token that was just given: what the group has committed, with all transactions that it names. What it
 * has not committed begins where the ledger says, else where it is configured, and is committed at once, so that it is decided once.
 * Throws RetryableError when brokers do not answer.
 */
export async function readAssignment(
  token: number,
  partitions: readonly Partition[],
  { client, at, commit, ledger }: StartOptions,
): Promise<Assignment> {
  const known = await client.committed();
  const hasNew = startPositions(partitions, known, []).fresh.length > 0;
  // Of all partitions, so that one that is new can be told from a group that is new.
  const settled = hasNew && ledger ? await ledger(await client.partitions()) : [];
  const { committed, recovered, fresh, isNew } = startPositions(partitions, known, settled);
  const begins = fresh.length === 0 ? [] : await client.offsets(fresh, isNew ? placeOf(at) : 'earliest');
  await checkSameTopics(recovered, settled, client);
  for (const position of recovered) await commit(token, [position], position.transaction);
  if (begins.length > 0) await commit(token, begins, '');
  return {
    token,
    partitions: [
      ...committed,
      ...recovered.map(asCommitted),
      ...begins.map((each) => ({ ...each, transaction: '' })),
    ],
    transactions: new Set([...known, ...settled].map(({ transaction }) => transaction).filter(Boolean)),
  };
}

function asCommitted({ topic, partition, offset, transaction }: CommittedPosition): CommittedPosition {
  return { topic, partition, offset, transaction };
}

/**
 * The broker forgets a group's positions with the topic. The ledger does not: of a topic that was made anew under the same
 * name it would skip the beginning. What came after a message was archived must stand behind it.
 */
async function checkSameTopics(
  recovered: readonly CommittedPosition[],
  settled: readonly LedgerPosition[],
  client: KafkaClient,
): Promise<void> {
  for (const position of recovered) {
    const { topic, partition, offset } = position;
    const { createdAt } = settled.find((each) => each.topic === topic && each.partition === partition)!;
    const [end] = await client.offsets([position], 'latest');
    const [later] = await client.offsets([position], createdAt + CLOCK_SKEW);
    const problem =
      end && end.offset < offset
        ? `the topic ends at ${end.offset}`
        : later && later.offset < offset
          ? `messages that came later stand at ${later.offset}`
          : undefined;
    if (problem === undefined) continue;
    throw new InputError(
      `${topic}-${partition} is archived up to offset ${offset} (${new Date(createdAt).toISOString()}), but ${problem}: ` +
        'the topic was made anew under its name, or lost messages; archive it as a pipeline with another `name` and another prefix',
    );
  }
}

function placeOf(at: string): 'earliest' | 'latest' | number {
  return at === 'earliest' || at === 'latest' ? at : Date.parse(at);
}
