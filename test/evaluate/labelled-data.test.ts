import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError, MisconfiguredError } from '../../src/errors.ts';
import { readLabelledData, type LabelledData } from '../../src/evaluate/labelled-data.ts';
import { parseLabelColumn, truthOf } from '../../src/evaluate/truth.ts';
import { writeParquet } from '../ingest/parquet-file.ts';

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

  it('reads CSV whose quotes come late, or are part of the text', async () => {
    const plain = 'plain words,0\n'.repeat(30_000);
    const path = file('late.csv', `text,toxic\n${plain}"with a comma, and ""more"" words",1\n`);
    const data = await readLabelledData({ paths: [path], labels: LABELS });
    expect([data.rows, data.text.at(-1), data.truth.get('toxic')!.at(-1)]).toEqual([
      30_001,
      'with a comma, and "more" words',
      1,
    ]);
    const quoted = file('quoted.csv', `text,toxic\n'hello',0\n#tag,1\n`);
    expect((await readLabelledData({ paths: [quoted], labels: LABELS })).text).toEqual(["'hello'", '#tag']);
  });

  it('refuses what turns out wrong behind rows that were read, instead of ending there', async () => {
    const path = file('ragged.csv', `text,toxic\n${'plain words,0\n'.repeat(30_000)}one,two,three\n`);
    await expect(readLabelledData({ paths: [path], labels: LABELS })).rejects.toThrow(
      /ragged\.csv: cannot be read: .*CSV Error on Line: 30002/,
    );
  });

  it('keeps rows by a condition on JSON: texts, numbers, booleans', async () => {
    const lines = ['train', 'test'].map((split, i) =>
      JSON.stringify({ text: split, toxic: 1, split, votes: 9 + i, ok: i === 1, day: '2026-01-01' }),
    );
    const paths = [file('where.jsonl', lines.join('\n'))];
    for (const where of ["split = 'test'", 'votes > 9', 'ok', "split LIKE 'te%' AND day = '2026-01-01'"])
      expect((await readLabelledData({ paths, labels: LABELS, where })).text).toEqual(['test']);
  });

  it('takes NaN of data frames for unknown, and 1.0 for 1', async () => {
    const path = join(directory, 'nan.parquet');
    await writeParquet(path, `SELECT 'a' AS text, 'nan'::FLOAT AS toxic UNION ALL SELECT 'b', 1`);
    expect(truths(await readLabelledData({ paths: [path], labels: LABELS }))).toEqual({ toxic: [NaN, 1] });
    const csv = file('float.csv', 'text,class\na,1.0\nb,0.0\nc,\n');
    const columns = [parseLabelColumn('toxic=class:1|2')];
    expect(truths(await readLabelledData({ paths: [csv], labels: LABELS, columns }))).toEqual({
      toxic: [1, 0, NaN],
    });
  });

  it('does not take a label for absent in a file that lists labels but never this one', async () => {
    const one = file('lists.jsonl', '{"text":"a","labels":["toxic"]}\n{"text":"b","labels":[]}');
    const other = file('spam.csv', 'text,spam\nc,1\nd,0\n');
    const third = file('more.jsonl', '{"text":"e","labels":["spam"]}\n{"text":"f","labels":[]}');
    const data = await readLabelledData({ paths: [one, other, third], labels: LABELS });
    expect(truths(data)).toEqual({
      toxic: [1, 0, NaN, NaN, NaN, NaN],
      spam: [NaN, NaN, 1, 0, 1, 0],
    });
  });

  it('refuses times without an archive, which would say nothing', async () => {
    const paths = [file('times.csv', 'text,toxic\na,1\n')];
    await expect(readLabelledData({ paths, labels: LABELS, from: '2026-01-01' })).rejects.toThrow(
      /^--from, --to: expected the directory of an archive in --data/,
    );
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
