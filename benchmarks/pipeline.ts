/**
 * The whole pipeline without a model: decode → shard → Parquet, from a file to a directory, 300-byte messages of 50
 * customers, exactly once. Beside it a reference loop in the same run: splitting lines and `JSON.parse`, nothing else,
 * on one thread. Quote the ratio; absolute figures depend on the machine.
 */
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { configFrom } from '../src/config.ts';
import { createEvents } from '../src/events.ts';
import { createPipeline } from '../src/pipeline.ts';
import { content } from './content.ts';

/** One figure of a benchmark. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** Options of {@link run}. */
export interface PipelineBenchmark {
  /** Messages of the input file. */
  readonly messages?: number;
  /** Rounds; the median is reported. */
  readonly rounds?: number;
  /** `drop`, or a model folder. */
  readonly model?: string;
}

const NEWLINE = Buffer.from('\n');

async function writeInput(file: string, messages: number): Promise<void> {
  const out = createWriteStream(file);
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  for (const line of content({ messages, bytes: 300, customers: 50, seed: 11 })) {
    chunk.push(line, NEWLINE);
    bytes += line.length;
    if (bytes > 1 << 20) {
      if (!out.write(Buffer.concat(chunk))) await once(out, 'drain');
      chunk = [];
      bytes = 0;
    }
  }
  out.end(Buffer.concat(chunk));
  await finished(out);
}

function parseOnly(file: string): number {
  const bytes = readFileSync(file);
  const started = performance.now();
  let rows = 0;
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    JSON.parse(bytes.toString('utf8', start, end));
    rows++;
    start = end + 1;
  }
  return rows / ((performance.now() - started) / 1000);
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Runs the benchmark in temporary directories. */
export async function run(options: PipelineBenchmark = {}): Promise<Figure[]> {
  const { messages = 500_000, rounds = 5, model = 'drop' } = options;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const input = join(directory, 'content.jsonl');
  const rates: number[] = [];
  const references: number[] = [];
  const cpu: number[] = [];
  let bytes = 0;
  let files = 0;
  try {
    await writeInput(input, messages);
    for (let round = -1; round < rounds; round++) {
      const reference = parseOnly(input);
      const out = join(directory, `out${round}`);
      const config = configFrom({
        source: { type: 'file', inputs: [input] },
        classify: { model, language: model === 'drop' ? 'off' : 'detect' },
        archive: { store: { type: 'directory', path: out } },
      });
      const pipeline = createPipeline(config, createEvents('error'));
      const before = process.cpuUsage();
      const totals = await pipeline.run({ untilEnd: true });
      const used = process.cpuUsage(before);
      rmSync(out, { recursive: true });
      if (totals.rows !== messages) throw new Error(`expected ${messages} rows, got ${totals.rows}`);
      if (round < 0) continue; // The first round warms the disk cache and the compiler.
      rates.push(messages / totals.seconds);
      references.push(reference);
      cpu.push((used.user + used.system) / messages);
      bytes = totals.bytes;
      files = totals.files;
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return [
    { name: `pipeline, ${model}`, value: median(rates), unit: 'messages/s' },
    { name: 'slowest round', value: Math.min(...rates), unit: 'messages/s' },
    { name: 'CPU', value: median(cpu), unit: 's per million messages' },
    { name: 'reference loop (JSON.parse alone, one thread)', value: median(references), unit: 'messages/s' },
    { name: 'pipeline / reference', value: median(rates.map((rate, i) => rate / references[i]!)), unit: '×' },
    { name: 'Parquet', value: bytes / messages, unit: 'bytes per message' },
    { name: 'files', value: files, unit: '' },
    { name: 'peak memory', value: process.resourceUsage().maxRSS / 1024, unit: 'MiB' },
  ];
}
