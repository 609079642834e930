import { RetryableError } from '../errors.ts';
import type { Position } from '../types.ts';
import type { CommitOutcome } from './kafka-client.ts';
import { errorOfCode } from './kafkajs-cluster.ts';
import { isFenced, isMoved, kafkaError } from './kafkajs-errors.ts';
import { byTopic } from './kafkajs-lookups.ts';
import type { Generation, Member } from './kafkajs-member.ts';

interface CommitResponse {
  readonly responses: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[];
}

/**
 * One OffsetCommit with the generation and the member id of the assignment, which need not be the present ones: the broker
 * refuses it then. Throws MisconfiguredError for what no further attempt mends.
 */
export async function commitOffsets(
  member: Member,
  { generationId, memberId }: Generation,
  positions: readonly Position[],
  metadata: string,
): Promise<CommitOutcome> {
  let mayHaveReached = false;
  const payload = {
    groupGenerationId: generationId,
    memberId,
    // As the broker is configured; newer versions of the request do not have it.
    retentionTime: -1,
    topics: byTopic(positions, ({ partition, offset }) => ({ partition, offset: String(offset), metadata })),
  };
  try {
    const onSend = () => {
      mayHaveReached = true;
    };
    const { responses } = await member.request<CommitResponse>('OffsetCommit', payload, true, onSend);
    const codes = responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode));
    return outcomeOf(codes, member);
  } catch (error) {
    const failure = kafkaError(error, 'commit');
    if (!(failure instanceof RetryableError)) throw failure;
    return { kind: 'retry', detail: failure.message, unanswered: mayHaveReached };
  }
}

function outcomeOf(codes: readonly number[], member: Member): CommitOutcome {
  const failed = codes.find((code) => code !== 0);
  if (failed === undefined) return { kind: 'committed' };
  const error = errorOfCode(failed);
  if (isFenced(error)) return { kind: 'fenced', detail: error.message };
  const failure = kafkaError(error, 'commit');
  if (!(failure instanceof RetryableError)) throw failure;
  if (isMoved(error)) member.forgetCoordinator();
  // A request is refused whole, but for partitions that the broker does not know (yet, after its start).
  return { kind: 'retry', detail: error.message, unanswered: codes.includes(0) };
}
