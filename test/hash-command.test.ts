import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashOf } from '../src/classify/index.ts';
import { InputError } from '../src/errors.ts';
import { hashesOf, type HashFlags } from '../src/hash-command.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-hash-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function hashes(content: string, format: 'lines' | 'jsonl', field = 'text'): Promise<string[]> {
  const file = join(directory, 'texts');
  writeFileSync(file, content);
  return await all([file], { format, field });
}
async function all(files: readonly string[], flags: HashFlags): Promise<string[]> {
  const found: string[] = [];
  for await (const hash of hashesOf(files, flags)) found.push(hash);
  return found;
}
const hex = (...texts: string[]) => texts.map((text) => hashOf(text)!.toString('hex'));

describe('hashesOf', () => {
  it('takes each line as a text, whatever it has between line ends', async () => {
    const long = 'ü🙂'.repeat(50_000);
    expect(await hashes(`\ufeffone\u2028two\r\n\n${long}\nodd\rend`, 'lines')).toEqual(
      hex('one\u2028two', long, 'odd\rend'),
    );
  });

  it('takes JSON lines with a byte order mark and with any characters in texts', async () => {
    const lines = ['a\u2028b', 'c\u0085d'].map((body) => JSON.stringify({ body }));
    expect(await hashes(`\ufeff${lines.join('\n')}\n\n`, 'jsonl', 'body')).toEqual(
      hex('a\u2028b', 'c\u0085d'),
    );
  });

  it('says where there is no text, never which', async () => {
    const reading = hashes('{"text":"secret"}\n{"text":5}\n', 'jsonl');
    await expect(reading).rejects.toThrow(/texts:2: expected a text in "text", got number/);
    const folder = all([directory], { format: 'lines', field: '' });
    await expect(folder).rejects.toThrow(InputError);
  });
});
