import { readTopic } from '../ingest/index.ts';
import type { KafkaConfig } from '../kafka.ts';
import { readDeadLetter } from '../sinks/index.ts';
import { createWaitingNote } from '../waiting.ts';
import { keyOf, type Letters } from './letter.ts';

/**
 * Dead letters of a topic, up to its present end. The topic has them at least once: repeats are left out. `onStranger` is
 * told of records that are no dead letters.
 */
export function createTopicLetters(options: {
  readonly topic: string;
  readonly kafka: KafkaConfig;
  readonly onStranger: (position: string) => void;
}): Letters {
  const { topic, kafka, onStranger } = options;
  return {
    description: `topic ${topic}`,
    async read({ received, each, onProgress, signal }) {
      const seen = new Set<string>();
      let turn: Promise<void> = Promise.resolve();
      await readTopic({
        kafka,
        topic,
        signal,
        onProgress,
        onRetrying: createWaitingNote(),
        onBatch(batch) {
          // Partitions come side by side.
          const before = turn;
          turn = (async () => {
            await before;
            for (let row = 0; row < batch.rows && !signal.aborted; row++) {
              const letter = readDeadLetter(batch, row);
              if (!letter) {
                onStranger(`${topic}-${batch.partition}-${batch.offsets[row]!}`);
                continue;
              }
              const isRepeat = seen.size === seen.add(keyOf(letter)).size;
              const { receivedAt } = letter;
              if (!isRepeat && receivedAt >= received.since && receivedAt < received.until)
                await each(letter);
            }
          })();
          return turn;
        },
      });
    },
  };
}
