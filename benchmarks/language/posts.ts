import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';

/** A public post whose language is known. */
export interface Post {
  /** The data set and, in it, the language: `germeval2018 de`. */
  readonly set: string;
  /** ISO 639-1 where there is one, with `-Latn` for Latin letters against habit. */
  readonly language: string;
  readonly text: string;
}

interface Source {
  readonly name: string;
  readonly language: string;
  /** Files below the folder of the data, each with the number or name of the column of the text. */
  readonly files: readonly string[];
  readonly column?: string;
  readonly read?: (path: string) => string[];
  readonly keep?: (text: string) => boolean;
}

const TAB = (column: number) => (path: string) =>
  linesOf(path).flatMap((line) => line.split('\t')[column] ?? []);
const LATIN = (text: string) => !/[\u0900-\u0dff\u0600-\u06ff]/.test(text);
const AFRISENTI: readonly (readonly [code: string, language: string])[] = [
  ['amh', 'am'],
  ['arq', 'ar'],
  ['ary', 'ar'],
  ['hau', 'ha'],
  ['ibo', 'ig'],
  ['kin', 'rw'],
  ['pcm', 'pcm'],
  ['por', 'pt'],
  ['swa', 'sw'],
  ['tso', 'ts'],
  ['twi', 'tw'],
  ['yor', 'yo'],
];

/** Names of the files are those of training/datasets.json. Posts that mix languages are left out by script. */
const SOURCES: readonly Source[] = [
  { name: 'davidson2017', language: 'en', files: ['labeled_data.csv'], column: 'tweet' },
  { name: 'goemotions', language: 'en', files: ['data__group__test.tsv'], read: TAB(0) },
  { name: 'sms_spam', language: 'en', files: ['spam.csv'], read: sms },
  { name: 'ubuntu_irc', language: 'en', files: ['messages.jsonl.gz'], read: (path) => jsonLines(path) },
  { name: 'fox_news', language: 'en', files: ['fox-news-comments.json'], read: (path) => jsonLines(path) },
  { name: 'convabuse', language: 'en', files: ['2_splits__ConvAbuseEMNLPtest.csv'], column: 'user' },
  { name: 'hatemoji_build', language: 'en', files: ['HatemojiBuild__test.csv'], column: 'text' },
  {
    name: 'hatexplain',
    language: 'en',
    files: ['data__hatexplain__test.json'],
    read: (path) => (JSON.parse(readFileSync(path, 'utf8')) as [string, string][]).map(([text]) => text),
  },
  { name: 'germeval2018', language: 'de', files: ['germeval2018.test.txt'], read: TAB(0) },
  { name: 'gahd', language: 'de', files: ['gahd.csv'], column: 'text' },
  { name: 'mlma', language: 'fr', files: ['hate_speech_mlma.zip'], read: (path) => mlma(path, 'fr') },
  { name: 'mlma', language: 'ar', files: ['hate_speech_mlma.zip'], read: (path) => mlma(path, 'ar') },
  { name: 'cold', language: 'zh', files: ['COLDataset__test.csv'], column: 'TEXT' },
  { name: 'korean_malicious', language: 'ko', files: ['Dataset.csv'], read: TAB(0) },
  {
    name: 'wisesight',
    language: 'th',
    files: ['neg.txt', 'pos.txt', 'neu.txt'],
    read: (path) => linesOf(path),
  },
  ...(['kn', 'ml', 'ta'] as const).flatMap((language): Source[] => {
    const files = {
      kn: 'Datasets__kannada_offensive_test_with_labels.csv',
      ml: 'Datasets__mal_full_offensive_test_with_labels.csv',
      ta: 'Datasets__tamil_offensive_full_test_with_labels.csv',
    };
    // Comments that are marked as being in another language stay out.
    const read = (path: string) =>
      linesOf(path)
        .map((line) => line.split('\t'))
        .filter(([, label]) => label !== undefined && !/^not-/i.test(label.trim()))
        .map(([text]) => text!);
    return [
      { name: 'dravidian', language, files: [files[language]], read, keep: (text) => !LATIN(text) },
      { name: 'dravidian', language: `${language}-Latn`, files: [files[language]], read, keep: LATIN },
    ];
  }),
  { name: 'roman_urdu', language: 'ur-Latn', files: ['task_1_test.tsv'], read: TAB(0) },
  ...AFRISENTI.flatMap(([code, language]): Source[] => {
    const source = { name: `afrisenti ${code}`, files: [`data__${code}__test.tsv`], column: 'tweet' };
    if (language !== 'ar') return [{ ...source, language }];
    return [
      { ...source, language, keep: (text) => !LATIN(text) },
      { ...source, language: 'ar-Latn', keep: LATIN },
    ];
  }),
];

/** Posts of all sets below `folder`, up to `limit` of each, spread evenly over it. */
export async function readPosts(folder: string, limit: number): Promise<Post[]> {
  const posts: Post[] = [];
  for (const source of SOURCES) {
    const set = source.name.split(' ')[0]!;
    const directory = set === 'dravidian' ? 'dravidian_offensive' : set;
    let texts: string[] = [];
    for (const file of source.files) {
      const path = join(folder, directory, file);
      texts = texts.concat(source.read ? source.read(path) : await csvColumn(path, source.column!));
    }
    const kept = texts
      .map((text) => text.trim())
      .filter((text) => text !== '' && (source.keep?.(text) ?? true));
    const step = Math.max(1, kept.length / limit);
    for (let at = 0; at < kept.length && at / step < limit; at += step) {
      const text = kept[Math.floor(at)];
      if (text !== undefined)
        posts.push({ set: `${source.name} ${source.language}`, language: source.language, text });
    }
  }
  return posts;
}

function linesOf(path: string): string[] {
  const text = new TextDecoder().decode(readFileSync(path));
  return text.split(/\r?\n/).filter((line) => line !== '');
}

function jsonLines(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { text?: string }).text ?? '');
}

/** `kind,text,,,` in Latin-1, which not all readers of CSV know. */
function sms(path: string): string[] {
  return readFileSync(path, 'latin1')
    .split(/\r?\n/)
    .slice(1)
    .map((line) =>
      line
        .slice(line.indexOf(',') + 1)
        .replace(/,*$/, '')
        .replace(/^"|"$/g, ''),
    );
}

/** The archive has one CSV a language. */
function mlma(path: string, language: string): string[] {
  const names = execFileSync('unzip', ['-Z1', path], { encoding: 'utf8' }).split('\n');
  const name = names.find((each) => each.endsWith(`${language}_dataset.csv`) && !each.includes('MACOSX'));
  const csv = execFileSync('unzip', ['-p', path, name!], { encoding: 'utf8', maxBuffer: 1 << 26 });
  // HITId, tweet, …: tweets hold neither quotes nor line ends here, and may hold commas.
  return csv
    .split('\n')
    .slice(1)
    .flatMap((line) => /^\d+,"?(.*?)"?,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*$/.exec(line)?.[1] ?? []);
}

async function csvColumn(path: string, column: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const delimiter = path.endsWith('.tsv') ? `, delim = '\t'` : '';
    const result = await connection.runAndReadAll(
      `SELECT "${column}" FROM read_csv('${path}', all_varchar = true, header = true, strict_mode = false${delimiter})`,
    );
    return result.getRowsJS().map(([text]) => (typeof text === 'string' ? text : ''));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
