import { ingestConfig } from '../../src/ingest/config.ts';
import { createDecoder } from '../../src/ingest/decode.ts';
import type { DecodedBatch, RawBatch } from '../../src/types.ts';
import { content } from '../content.ts';

/** As many messages as a source hands over at once. */
const BATCH = 1024;
const START = '2026-11-01T00:00:00Z';

const made = new Map<number, readonly RawBatch[]>();

/** Messages of 300 bytes of 50 customers, in the forms that customers write, as a source hands them over. Made once. */
export function rawBatches(messages: number): readonly RawBatch[] {
  let batches = made.get(messages);
  if (!batches) made.set(messages, (batches = makeBatches(messages)));
  return batches;
}

function makeBatches(messages: number): RawBatch[] {
  const lines = [...content({ messages, bytes: 300, customers: 50, seed: 11, start: START })];
  const batches: RawBatch[] = [];
  for (let first = 0; first < lines.length; first += BATCH) {
    const part = lines.slice(first, first + BATCH);
    const ends = new Uint32Array(part.length);
    let end = 0;
    part.forEach((line, at) => (ends[at] = end += line.length));
    batches.push({
      topic: 'bench',
      partition: 0,
      rows: part.length,
      bytes: new Uint8Array(Buffer.concat(part)),
      starts: Uint32Array.from(part, (line, at) => ends[at]! - line.length),
      ends,
      offsets: Float64Array.from(part, (_, at) => first + at),
      timestamps: new Float64Array(part.length).fill(NaN),
      receivedAt: Date.parse(START) + 86_400_000 * 3,
      first,
      next: first + part.length,
    });
  }
  return batches;
}

/** The same, decoded. */
export function decodedBatches(messages: number): DecodedBatch[] {
  const decode = createDecoder(ingestConfig.parse({}));
  return rawBatches(messages).map((batch) => decode(batch));
}
