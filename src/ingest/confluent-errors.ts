import { MisconfiguredError, RetryableError, errorOf, isOperational } from '../errors.ts';
import type { CommitOutcome } from './kafka-client.ts';
import { errorOfCode } from './kafkajs-cluster.ts';
import { kafkaError } from './kafkajs-errors.ts';

/** Error codes that are told apart here: librdkafka's own below 0 (rdkafka.h), the Kafka protocol's above ("Error Codes"). */
export const CODE = {
  badCompression: -198,
  transport: -195,
  timedOut: -185,
  waitCoordinator: -180,
  assignPartitions: -175,
  state: -172,
  notImplemented: -170,
  unsupportedFeature: -165,
  fatal: -150,
  assignmentLost: -142,
  unknown: -1,
  unknownTopic: 3,
  requestTimedOut: 7,
  illegalGeneration: 22,
  unknownMember: 25,
  fencedInstance: 82,
  fencedMemberEpoch: 110,
  unreleasedInstance: 111,
  unsupportedAssignor: 112,
  staleMemberEpoch: 113,
} as const;

/** What no further attempt mends, and what to do about it; those of the protocol that kafkajs knows are in kafkajs-errors.ts. */
const REMEDIES: Readonly<Record<number, string>> = {
  [CODE.badCompression]: 'librdkafka was built without this codec; install the prebuilt package',
  [CODE.notImplemented]: 'librdkafka was built without it; install the prebuilt package',
  [CODE.unsupportedFeature]: 'the brokers are too old for it; use source.group_protocol: classic',
  [CODE.fencedInstance]: 'another process has the same source.instance; give each its own',
  [CODE.unreleasedInstance]: 'another process has the same source.instance; give each its own',
  [CODE.fatal]:
    'the brokers refuse this member for good; most often another process has the same source.instance: give each its own',
  [CODE.unsupportedAssignor]: 'the brokers do not know source.assignor',
};

const FENCED: readonly number[] = [
  CODE.illegalGeneration,
  CODE.unknownMember,
  CODE.fencedInstance,
  CODE.fencedMemberEpoch,
  CODE.assignmentLost,
  CODE.state,
  CODE.fatal,
];

/** After these the request may have been carried out, wholly or (an unknown partition) in part. */
const UNANSWERED: readonly number[] = [
  CODE.transport,
  CODE.timedOut,
  CODE.waitCoordinator,
  CODE.requestTimedOut,
  CODE.unknownTopic,
];

/** librdkafka's code of an error; undefined for errors of other kinds. */
export function libraryCode(error: unknown): number | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'number' ? code : undefined;
}

/**
 * An error of librdkafka as one of ours: MisconfiguredError where no further attempt helps, RetryableError for what the
 * network or a broker may mend. Bugs (TypeError …) stay what they are.
 */
export function confluentError(error: unknown, what: string): Error {
  const code = libraryCode(error);
  if (isOperational(error) || code === undefined) return errorOf(error);
  const message = `${what}: ${(error as Error).message}`;
  const remedy = REMEDIES[code];
  if (remedy !== undefined) return new MisconfiguredError(`${message}: ${remedy}`, { cause: error });
  return code > 0 ? kafkaError(errorOfCode(code), what) : new RetryableError(message, { cause: error });
}

/** What a commit came to that failed with that error. Throws MisconfiguredError for what no further attempt mends. */
export function commitOutcome(error: unknown): CommitOutcome {
  const code = libraryCode(error);
  if (code === undefined) throw error;
  const detail = (error as Error).message;
  if (FENCED.includes(code)) return { kind: 'fenced', detail };
  // The broker has moved on to another epoch of the same membership, which the next heartbeat brings here (KIP-848).
  if (code === CODE.staleMemberEpoch) return { kind: 'retry', detail, unanswered: false };
  const failure = confluentError(error, 'commit');
  const unanswered = UNANSWERED.includes(code);
  if (!unanswered && !(failure instanceof RetryableError)) throw failure;
  return { kind: 'retry', detail, unanswered };
}
