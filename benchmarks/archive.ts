import { encodeFile } from '../src/archive/encode.ts';
import { encodeSlices } from '../src/archive/content-slices.ts';
import { batchOf } from './archive-rows.ts';
import type { Figure } from './pipeline.ts';

const ROWS = 200_000;
const BATCH = 5_000;
const ROUNDS = 4;

/** CPU of slices and of whole shard files, for messages of about 300 bytes, without labels and with three. */
export async function run(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const labels of [0, 3]) {
    for (const customers of [1, 500]) {
      figures.push(
        ...(await measure(`slices, ${labels} labels, ${customers} customers a batch`, () => {
          for (const input of inputs(labels, customers, 1)) encodeSlices(input);
          return Promise.resolve(undefined);
        })),
      );
    }
    for (const partitions of [1, 4]) {
      // Several partitions interleave in time, so that the file has to be sorted.
      const slices = inputs(labels, 1, partitions).map((input) => encodeSlices(input).arena);
      figures.push(
        ...(await measure(`encodeFile, ${labels} labels, rows of ${partitions} partitions`, async () => {
          const { content } = await encodeFile({
            table: 'content',
            chunks: slices,
            customer: 'customer-0',
            rowGroupRows: 100_000,
            compression: 'zstd',
            transaction: 'benchmark',
            version: '0',
          });
          return content.length;
        })),
      );
    }
  }
  return figures;
}

const cache = new Map<string, ReturnType<typeof batchOf>[]>();

function inputs(labels: number, customers: number, partitions: number): ReturnType<typeof batchOf>[] {
  const key = `${labels} ${customers} ${partitions}`;
  let made = cache.get(key);
  if (!made) {
    cache.clear();
    made = Array.from({ length: ROWS / BATCH }, (_, i) =>
      batchOf({
        rows: BATCH,
        customers,
        labels,
        partition: i % partitions,
        first: Math.floor(i / partitions) * BATCH,
      }),
    );
    cache.set(key, made);
  }
  return made;
}

/** CPU of the whole process, the best of the rounds. */
async function measure(name: string, work: () => Promise<number | undefined>): Promise<Figure[]> {
  let best = Infinity;
  let size: number | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    size = await work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, user + system);
  }
  return [
    { name, value: Math.round((ROWS / best) * 1e6), unit: 'rows/CPU s' },
    { name, value: best / ROWS, unit: 'CPU µs/row' },
    ...(size === undefined ? [] : [{ name, value: size / ROWS, unit: 'bytes/row' }]),
  ];
}

if (import.meta.main) {
  for (const { name, value, unit } of await run()) {
    const text = value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : 2 });
    console.log(`${name.padEnd(45)} ${text.padStart(10)} ${unit}`);
  }
}
