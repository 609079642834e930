import { FencedError } from '../../src/errors.ts';
import type { Position } from '../../src/types.ts';
import { recordBatches } from '../contract/source.ts';
import { kafkaOf, kafkaSource } from './kafka-fixture.ts';
import { createKafkaSource } from '../../src/ingest/kafka-source.ts';

/**
 * A member in a process of its own, so that it can be stopped with SIGSTOP. Arguments: topic, group, configuration as JSON.
 * Writes a line for each assignment and batch; commits its first token's position when it reads a line, and writes how
 * that went.
 */
const [topic, group, config] = process.argv.slice(2);
const source = createKafkaSource(kafkaSource(topic!, JSON.parse(config!) as object), {
  kafka: kafkaOf(),
  group: group!,
});
const say = (line: string) => process.stdout.write(`${line}\n`);
let first: { readonly token: number; readonly positions: Position[] } | undefined;
const recording = recordBatches(({ partition, next }, token) => {
  first ??= { token, positions: [{ topic: topic!, partition, offset: next }] };
  say(`batch ${next}`);
});
process.stdin.on('data', () => {
  const { token, positions } = first!;
  source.commit(token, positions, 'zombie').then(
    () => say('committed'),
    (error: unknown) => {
      say(
        error instanceof FencedError
          ? `fenced ${recording.events.filter((event) => event.startsWith('lost')).length}`
          : String(error),
      );
      source.stop();
    },
  );
});
await source.run(recording, { untilEnd: false });
await source.close();
process.exit(0);
