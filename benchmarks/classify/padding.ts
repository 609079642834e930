import * as ort from 'onnxruntime-node';
import { planBatches } from '../../src/classify/batching.ts';
import { classifyConfig } from '../../src/classify/config.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { usualBatchTokens } from '../../src/classify/provider.ts';
import { Random } from '../content/random.ts';
import type { Sample } from '../harness/sample.ts';

const TEXTS = 1024;
const ARRIVAL_BATCH = 32;
/** A log-normal length with this median and this 95th percentile; cut off at the longest. */
const MEDIAN = 20;
const P95 = 86;
const LONGEST = 256;

/**
 * Runs of texts batched by token budget against batches of 32 in the order of arrival, padded to their longest: lengths as
 * people write (median 20 tokens, 95th percentile 86). Bare runs of random ids, by turns.
 */
export async function measurePadding(model: string): Promise<Sample> {
  const folder = readModelFolder({ path: model });
  const session = await ort.InferenceSession.create(folder.onnx, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const lengths = lengthsAsWritten(TEXTS);
  const { sort_window: window } = classifyConfig.parse({});
  const planned = planBatches(lengths, { budget: usualBatchTokens('cpu'), window });
  const arriving = Array.from({ length: TEXTS / ARRIVAL_BATCH }, (_, batch) => {
    const rows = Int32Array.from({ length: ARRIVAL_BATCH }, (__, row) => batch * ARRIVAL_BATCH + row);
    return { rows, longest: Math.max(...rows.map((row) => lengths[row]!)) };
  });
  const seconds = async (batches: typeof planned): Promise<number> => {
    const feeds = batches.map(({ rows, longest }) => feed(rows, longest, lengths));
    // The first run allocates.
    await session.run(feeds[0]!);
    const before = process.cpuUsage();
    for (const each of feeds) await session.run(each);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  const [sorted, unsorted] = [await seconds(planned), await seconds(arriving)];
  const cells = (batches: typeof planned) =>
    batches.reduce((sum, { rows, longest }) => sum + rows.length * longest, 0);
  return {
    count: TEXTS,
    seconds: sorted,
    cpuSeconds: sorted,
    more: {
      'times the texts/s of arrival order': unsorted / sorted,
      'fewer padded tokens, times': cells(arriving) / cells(planned),
    },
  };
}

function lengthsAsWritten(count: number): Uint32Array {
  const random = new Random(5);
  const spread = Math.log(P95 / MEDIAN) / 1.645;
  return Uint32Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    return Math.min(LONGEST, Math.max(3, Math.round(MEDIAN * Math.exp(spread * normal))));
  });
}

function feed(rows: Int32Array, longest: number, lengths: Uint32Array): Record<string, ort.Tensor> {
  const ids = new BigInt64Array(rows.length * longest);
  const mask = new BigInt64Array(rows.length * longest);
  rows.forEach((row, at) => {
    for (let token = 0; token < lengths[row]!; token++) {
      ids[at * longest + token] = BigInt(1000 + ((row * 31 + token * 17) % 20_000));
      mask[at * longest + token] = 1n;
    }
  });
  const shape = [rows.length, longest];
  return {
    input_ids: new ort.Tensor('int64', ids, shape),
    attention_mask: new ort.Tensor('int64', mask, shape),
  };
}
