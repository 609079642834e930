import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/classify/tokenizer.ts';
import { HOSTILE } from '../contract/classifier.ts';

const folder = join(import.meta.dirname, 'fixtures/tokenizers');
/** Written by fixtures/tokenizers/make.py with Python's tokenizers. */
const expected: { texts: string[]; max_tokens: number; ids: Record<string, number[][]> } = JSON.parse(
  readFileSync(join(folder, 'expected.json'), 'utf8'),
);

describe.each(Object.keys(expected.ids))('%s tokenizer', (kind) => {
  const load = () => loadTokenizer(join(folder, `${kind}.json`), { maxTokens: expected.max_tokens });

  it("gives the ids that Python's gives, token by token, in every writing system", async () => {
    const { ids, ends, lengths } = await (await load()).encode(expected.texts);
    const rows = expected.texts.map((_, i) => [...ids.subarray(ends[i]! - lengths[i]!, ends[i])]);
    expect(rows).toEqual(expected.ids[kind]);
    expect(rows.some((row) => row.length === expected.max_tokens)).toBe(true);
  });

  it('cuts every text at the limit, hostile ones too', async () => {
    const { ids, lengths } = await (await load()).encode(HOSTILE);
    expect(Math.max(...lengths)).toBe(expected.max_tokens);
    expect(ids).toHaveLength(lengths.reduce((a, b) => a + b, 0));
  });

  it('takes no texts', async () => {
    expect((await (await load()).encode([])).ids).toHaveLength(0);
  });
});
