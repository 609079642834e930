/**
 * Decoding: raw batches to columns, 300-byte messages of 50 customers, on one thread; also cutting a file into batches, as
 * the main thread does. Beside it `JSON.parse` alone in the same rounds. Figures are the median of the rounds' CPU time.
 */
import { pathToFileURL } from 'node:url';
import { createDecoder } from '../src/ingest/decode.ts';
import { ingestConfig } from '../src/ingest/config.ts';
import { createLineBatches } from '../src/ingest/line-batches.ts';
import type { RawBatch } from '../src/types.ts';
import { content } from './content.ts';
import type { Figure } from './pipeline.ts';

/** Options of {@link run}. */
export interface DecodeBenchmark {
  /** Messages of one round. */
  readonly messages?: number;
  /** Rounds; the median is reported. */
  readonly rounds?: number;
}

const CHUNK = 1024 ** 2;

function cut(input: Buffer): RawBatch[] {
  const lines = createLineBatches({ batchMessages: 1024, batchBytes: CHUNK, maxLineBytes: 64 * CHUNK });
  const cutBatches = [];
  for (let at = 0; at < input.length; at += CHUNK)
    cutBatches.push(...lines.push(input.subarray(at, at + CHUNK)));
  cutBatches.push(...lines.flush(true));
  let next = 0;
  return cutBatches.map((batch) => {
    const first = next;
    const offsets = new Float64Array(batch.rows).map((_, row) => first + row);
    next += batch.rows;
    const timestamps = new Float64Array(batch.rows).fill(NaN);
    return {
      topic: 'bench',
      partition: 0,
      ...batch,
      offsets,
      timestamps,
      receivedAt: Date.now(),
      first,
      next,
    };
  });
}

function cpuMicros(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Runs the benchmark in memory. */
export async function run(options: DecodeBenchmark = {}): Promise<Figure[]> {
  const { messages = 50_000, rounds = 15 } = options;
  const start = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const drafts = [...content({ messages, bytes: 300, customers: 50, seed: 11, start })];
  const input = Buffer.concat(drafts.flatMap((bytes) => [bytes, Buffer.from('\n')]));
  const decode = createDecoder(ingestConfig.parse({}));
  const batches = cut(input);
  const times = { cut: [] as number[], parse: [] as number[], decode: [] as number[] };
  let rows = 0;
  for (let round = -3; round < rounds; round++) {
    const cutting = cpuMicros(() => cut(input));
    const parsing = cpuMicros(() => {
      for (const { bytes, starts, ends } of batches) {
        const buffer = Buffer.from(bytes.buffer);
        for (let at = 0; at < starts.length; at++) JSON.parse(buffer.toString('utf8', starts[at], ends[at]));
      }
    });
    const decoding = cpuMicros(() => {
      rows = batches.reduce((sum, batch) => sum + decode(batch).rows, 0);
    });
    // The first rounds warm up.
    if (round < 0) continue;
    times.cut.push(cutting / messages);
    times.parse.push(parsing / messages);
    times.decode.push(decoding / messages);
    await new Promise(setImmediate);
  }
  if (rows < messages * 0.99) throw new Error(`expected ${messages} decoded messages, got ${rows}`);
  return [
    { name: 'message size', value: input.length / messages - 1, unit: 'bytes' },
    { name: 'decode', value: median(times.decode), unit: 'µs CPU a message' },
    { name: 'decode', value: 1e6 / median(times.decode), unit: 'messages/s a core' },
    { name: 'JSON.parse alone', value: median(times.parse), unit: 'µs CPU a message' },
    { name: 'cut lines into batches (main thread)', value: median(times.cut), unit: 'µs CPU a message' },
  ];
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { name, value, unit } of await run())
    console.log(`${name.padEnd(40)} ${value.toFixed(2)} ${unit}`);
}
