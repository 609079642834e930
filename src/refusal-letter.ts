import type { Refused } from './sinks/index.ts';
import type { DeadLetter } from './types.ts';

/** The dead letter of a decision that a sink refused: the decision as JSON, at the position of its message. */
export function refusalLetter({ sink, decision, code, detail }: Refused): DeadLetter {
  const { position, customer, produced_at, received_at } = decision;
  return {
    ...position,
    stage: 'deliver',
    code,
    detail: `sink ${sink}: ${detail}`,
    timestamp: produced_at === null ? null : Date.parse(produced_at),
    receivedAt: Date.parse(received_at),
    bytes: Buffer.from(JSON.stringify(decision)),
    key: Buffer.from(customer),
    headers: { 'sluice-sink': Buffer.from(sink) },
  };
}
