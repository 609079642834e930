import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError, MisconfiguredError } from '../../src/errors.ts';
import { readLabelledData, type LabelledData } from '../../src/evaluate/labelled-data.ts';
import { parseLabelColumn, truthOf } from '../../src/evaluate/truth.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-labelled-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const LABELS = ['toxic', 'spam'];
const truths = ({ truth }: LabelledData) =>
  Object.fromEntries([...truth].map(([label, degrees]) => [label, [...degrees]]));

describe('labelled data', () => {
  it('reads CSV: quotes, line ends in texts, empty cells as unknown', async () => {
    const path = file(
      'a.csv',
      'text,toxic,spam,lang\n"He said ""no"", twice\nover",1,,en\nNULL,0,true,\n2024-01-01,0.25,no,de\n',
    );
    const data = await readLabelledData({ paths: [path], labels: LABELS });
    expect(data.text).toEqual(['He said "no", twice\nover', 'NULL', '2024-01-01']);
    expect(truths(data)).toEqual({ toxic: [1, 0, 0.25], spam: [NaN, 1, 0] });
    expect(data.language).toEqual(['en', null, 'de']);
    expect(data.customer).toEqual(['', '', '']);
  });

  it('reads JSON lines, gzip too: numbers, booleans, lists of labels, missing fields', async () => {
    const lines = [
      { text: '2024-01-01', toxic: true, customer: 'acme' },
      { text: 'tab\tand "quote" ü 🙂', toxic: 0 },
      { content: 'elsewhere', toxic: null },
      { text: '', toxic: 1 },
    ].map((line) => JSON.stringify(line));
    const path = file('a.jsonl.gz', gzipSync(lines.join('\n')));
    const data = await readLabelledData({ paths: [path], labels: LABELS });
    expect(data.text).toEqual(['2024-01-01', 'tab\tand "quote" ü 🙂']);
    expect(truths(data)).toEqual({ toxic: [1, 0] });
    expect(data.empty).toBe(2);
    expect(data.customer).toEqual(['acme', '']);
  });

  it('reads lists of labels: what is not listed does not hold, and what nobody lists is unknown', async () => {
    const lines = [{ labels: ['toxic', 'rude'] }, { labels: [] }, { labels: null }];
    const path = file('lists.jsonl', lines.map((line) => JSON.stringify({ text: 'a', ...line })).join('\n'));
    expect(truths(await readLabelledData({ paths: [path], labels: LABELS }))).toEqual({ toxic: [1, 0, NaN] });
    const csv = file('lists.csv', 'text,labels\na,spam;toxic\nb,"[""spam""]"\nc,\n');
    expect(truths(await readLabelledData({ paths: [csv], labels: LABELS }))).toEqual({
      spam: [1, 1, NaN],
      toxic: [1, 0, NaN],
    });
    const classes = file('classes.tsv', 'text\tlabel\na\ttoxic\nb\tharmless\n');
    expect(truths(await readLabelledData({ paths: [classes], labels: LABELS }))).toEqual({ toxic: [1, 0] });
  });

  it('reads Parquet, and columns under other names, with values that mean yes', async () => {
    const path = join(directory, 'a.parquet');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(
      `COPY (SELECT * FROM (VALUES ('a', 0, true, 0.5::DECIMAL(3,2), 'train'), ('b', 2, false, NULL, 'test'), ('c', 1, NULL, 1, 'test'))
       AS rows(body, class, spam, share, split)) TO '${path}' (FORMAT parquet)`,
    );
    connection.closeSync();
    const columns = ['toxic=class:0|1', 'rude=share'].map(parseLabelColumn);
    const options = { paths: [path], labels: [...LABELS, 'rude'], text: 'body', columns };
    expect(truths(await readLabelledData(options))).toEqual({
      toxic: [1, 0, 1],
      rude: [0.5, NaN, 1],
      spam: [1, 0, NaN],
    });
    const test = await readLabelledData({ ...options, where: "split = 'test'" });
    expect(test.text).toEqual(['b', 'c']);
  });

  it('joins files that know different labels', async () => {
    const one = file('one.csv', 'text,toxic\na,1\n');
    const other = file('other.csv', 'text,spam\nb,0\n');
    const data = await readLabelledData({ paths: [one, other], labels: LABELS });
    expect(truths(data)).toEqual({ toxic: [1, NaN], spam: [NaN, 0] });
  });

  it.each([
    ['a.txt', 'x', /or a \.parquet, \.jsonl/],
    ['b.csv', 'words,toxic\na,1\n', /expected a column text or content, got words, toxic; name it: --text/],
    ['c.csv', 'text,toxik\na,1\n', /expected a column for a label \(toxic, spam\).*got text, toxik/],
    ['d.csv', 'text,toxic\na,1\nb,7\n', /d\.csv: row 2: expected 0, 1, .* got "7"/],
    ['e.jsonl', '{"text":"a","toxic":[1]}\n', /e\.jsonl: row 1: expected 0, 1, .* got \[1\]/],
    ['f.jsonl', '{"text":', /f\.jsonl: cannot be read/],
    ['g.parquet', 'PAR', /g\.parquet: cannot be read/],
    [
      'h.csv',
      Buffer.from([0x74, 0x65, 0x78, 0x74, 0x2c, 0x74, 0x0a, 0xe9, 0xe8, 0x2c, 0x31, 0x0a]),
      /cannot be read/,
    ],
  ])('says what is wrong: %s', async (name, content, message) => {
    const reading = readLabelledData({ paths: [file(name, content)], labels: LABELS });
    await expect(reading).rejects.toThrow(message);
  });

  it('names a column that is not there, with the likely one', async () => {
    const path = file('n.csv', 'text,toxic\na,1\n');
    const reading = readLabelledData({ paths: [path], labels: LABELS, text: 'txt' });
    await expect(reading).rejects.toThrow(
      /--text: expected a column of text, toxic, got "txt"; did you mean "text"/,
    );
    await expect(readLabelledData({ paths: [join(directory, 'no.csv')], labels: LABELS })).rejects.toThrow(
      InputError,
    );
  });
});

describe('truth', () => {
  it.each(['', '=a', 'a', 'a='])('refuses the mapping "%s"', (text) => {
    expect(() => parseLabelColumn(text)).toThrow(MisconfiguredError);
  });

  it('takes 0 to 1, and nothing beyond', () => {
    expect([0, 1, '0.5', ' TRUE ', 'n', false].map(truthOf)).toEqual([0, 1, 0.5, 1, 0, 0]);
    for (const value of ['NaN', 'NA', null, '']) expect(truthOf(value)).toBeNaN();
    for (const value of [-1, 1.01, 'toxic', {}, NaN]) expect(() => truthOf(value)).toThrow(InputError);
  });
});
