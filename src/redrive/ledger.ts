import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { checksum } from '../archive/index.ts';
import { CorruptError } from '../errors.ts';
import type { Store } from '../ports.ts';
import type { DeadLetter } from '../types.ts';
import { filesBelow } from './files-below.ts';
import { idOf, sinkOf } from './letter.ts';
import { persistently } from './patience.ts';

/** Where it lies in the archive: an object of JSON lines for each part of a redrive that was acknowledged. */
const FOLDER = '_sluice/redriven';

/** That a letter was sent back. */
export interface Redriven {
  /** ISO 8601 UTC. */
  readonly at: string;
  /** `topic NAME`, `sink NAME` or `file PATH`. */
  readonly to: string;
}

/** What was sent back, so that it is not sent once more. Only ever added to. */
export interface RedriveLedger {
  /** By the letters' keys; of a letter that was sent several times, the last time. */
  read(): Promise<Map<string, Redriven>>;
  /** Resolves when it is durable. */
  write(sent: readonly { readonly letter: DeadLetter; readonly to: string }[]): Promise<void>;
}

const lineSchema = z.object({
  id: z.string(),
  sink: z.string().optional(),
  at: z.iso.datetime(),
  to: z.string(),
});

/** The ledger of an archive. Its methods throw RetryableError or StoreError as the store does, CorruptError for a damaged object. */
export function createRedriveLedger(store: Store): RedriveLedger {
  return {
    async read() {
      const found = new Map<string, Redriven>();
      // In order: names begin with their time.
      for (const { key } of await filesBelow(store, FOLDER)) {
        const content = await persistently(() => store.read(key));
        const lines = Buffer.from(content ?? [])
          .toString()
          .split('\n');
        for (const line of lines.filter(Boolean)) {
          const { id, sink, ...redriven } = parseLine(line, `${store.description} ${key}`);
          found.set(sink === undefined ? id : `${id} ${sink}`, redriven);
        }
      }
      return found;
    },

    async write(sent) {
      const at = new Date().toISOString();
      const lines = sent.map(({ letter, to }) =>
        JSON.stringify({ id: idOf(letter), sink: sinkOf(letter), at, to }),
      );
      const content = Buffer.from(`${lines.join('\n')}\n`);
      // As the names of dead letters are made, so that an upload that a crash left is swept like theirs.
      const name = `${at.replace(/\W/g, '')}_${randomUUID().replaceAll('-', '')}`;
      const file = {
        key: `${FOLDER}/${name}.jsonl`,
        kind: 'dead_letters' as const,
        bytes: content.length,
        rows: lines.length,
        crc32: checksum(content),
      };
      const prepared = await persistently(() => store.prepare(file, content));
      await persistently(() => store.publish(prepared));
    },
  };
}

function parseLine(line: string, where: string): z.infer<typeof lineSchema> {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch (error) {
    throw new CorruptError(
      `${where}: expected JSON lines of what was sent back, got ${JSON.stringify(line.slice(0, 40))}`,
      {
        cause: error,
      },
    );
  }
}
