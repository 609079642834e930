import { OperationalError } from '../../src/errors.ts';
import { resolveModel } from '../../src/classify/config.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { loadTokenizer } from '../../src/classify/tokenizer.ts';
import type { Sample } from '../harness/sample.ts';
import { textsOf } from './texts.ts';

const BATCH = 1024;

/**
 * Tokenising for the bundled model against the native binding's `encodeBatch`, per CPU second, from empty caches on; by turns,
 * a batch each. Throws OperationalError when the ids differ anywhere.
 */
export async function measureTokenising(path: string | undefined): Promise<Sample> {
  process.env['RAYON_NUM_THREADS'] = '1';
  const { tokenizer, maxTokens } = readModelFolder({ path: resolveModel('default', process.cwd()) });
  const ours = await loadTokenizer(tokenizer, { maxTokens });
  const native = await loadTokenizer(tokenizer, { maxTokens, cache: false });
  const texts = textsOf(path);
  const micros = [0, 0];
  let [secondHalf, secondHalfNative] = [0, 0];
  for (let first = 0; first < texts.length; first += BATCH) {
    const part = texts.slice(first, first + BATCH);
    const found = [];
    for (const [at, each] of [ours, native].entries()) {
      const before = process.cpuUsage();
      found.push(await each.encode(part));
      const { user, system } = process.cpuUsage(before);
      micros[at]! += user + system;
      if (first < texts.length / 2) continue;
      if (at === 0) secondHalf += user + system;
      else secondHalfNative += user + system;
    }
    const [one, other] = found.map(({ ids, ends }) =>
      Buffer.concat([ids, ends].map((each) => Buffer.from(each.buffer, each.byteOffset, each.byteLength))),
    );
    if (!one!.equals(other!))
      throw new OperationalError(`expected the native binding's ids in texts ${first} to ${first + BATCH}`);
  }
  return {
    count: texts.length,
    seconds: micros[0]! / 1e6,
    cpuSeconds: micros[0]! / 1e6,
    more: {
      'times the native binding': micros[1]! / micros[0]!,
      'times it in the second half': secondHalfNative / secondHalf,
      'native, µs a text': micros[1]! / texts.length,
    },
  };
}
