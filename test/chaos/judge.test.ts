import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratch, writeConfig } from '../e2e/cli.ts';
import { judge, type Violation } from './judge.ts';
import { startMember } from './member.ts';
import { createMessages } from './messages.ts';
import type { WrittenMessage } from './producer.ts';

const messageOf = createMessages({ seed: 5, customers: 8, partitions: 4, lateFrom: 1e9 });
let record: WrittenMessage[];
let archived: string;

/** Messages that a file can carry: no headers, no null values. */
function writable(): WrittenMessage[] {
  const offsets = [0, 0];
  return Array.from({ length: 1500 }, (_, index) => messageOf(index))
    .filter(({ fate, headers }) => (fate === 'row' || fate === 'dead_letter') && !('customer' in headers))
    .map(({ id, partition, fate, customer, text, value }) => ({
      id,
      partition,
      offset: offsets[partition]!++,
      fate,
      customer,
      text,
      bytes: value!.toString('base64'),
    }));
}

beforeAll(async () => {
  archived = mkdtempSync(join(tmpdir(), 'sluice-judge-'));
  record = writable();
  for (const name of [0, 1]) {
    const lines = record.filter(({ partition }) => partition === name);
    const bytes = lines.flatMap((line) => [Buffer.from(line.bytes!, 'base64'), Buffer.from('\n')]);
    writeFileSync(join(archived, `content-${name}.jsonl`), Buffer.concat(bytes));
  }
  const config = writeConfig(archived, {
    source: { type: 'file', inputs: ['content-0.jsonl', 'content-1.jsonl'] },
    classify: { model: 'drop' },
    archive: { store: { type: 'directory', path: './out' }, rotate: { rows: 300 } },
  });
  const member = startMember({ name: 'member', config, logs: archived, env: {}, untilEnd: true });
  const { code, last } = await member.exited;
  if (code !== 0) throw new Error(last);
});
afterAll(() => rmSync(archived, { recursive: true, force: true }));

/** The judge's violations of a copy of the archive that was damaged, by kind. */
async function afterDamage(damage: (root: string) => void | Promise<void>, written = record) {
  const directory = scratch();
  const root = join(directory, 'out');
  for (const name of readdirSync(join(archived, 'out'), {
    recursive: true,
    encoding: 'utf8',
    withFileTypes: true,
  })) {
    if (!name.isFile()) continue;
    const from = join(name.parentPath, name.name);
    const to = join(root, from.slice(join(archived, 'out').length));
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
  await damage(root);
  const file = join(directory, 'written.jsonl');
  writeFileSync(file, written.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const partitions = [0, 1].map((partition) => ({
    partition,
    markers: 0,
    end: record.filter((line) => line.partition === partition).length,
  }));
  const { violations } = await judge({ root, record: file, partitions });
  return Object.fromEntries(violations.map(({ kind, count }): [Violation['kind'], number] => [kind, count]));
}

function files(root: string, ending = '.parquet'): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.startsWith('_sluice'))
    .map((name) => join(root, name))
    .toSorted();
}

/** Writes a Parquet file anew, its rows taken from `sql` over the view `file`. */
async function rewrite(file: string, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE file AS FROM read_parquet('${file}', hive_partitioning = false)`);
  await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

describe('the judge', () => {
  it('finds nothing in a whole archive', async () => {
    expect(await afterDamage(() => undefined)).toEqual({});
  });

  it('finds the rows of a deleted file lost', async () => {
    const found = await afterDamage((root) => rmSync(files(root)[2]!));
    expect(found.lost).toBeGreaterThan(0);
    expect(Object.keys(found).toSorted()).toEqual(['gaps', 'lost']);
  });

  it('finds the rows of a file under another name twice', async () => {
    const found = await afterDamage((root) => {
      const [file] = files(root);
      copyFileSync(file!, file!.replace('.parquet', '-copy.parquet'));
    });
    expect(found.twice).toBeGreaterThan(0);
    expect(Object.keys(found)).toEqual(['twice']);
  });

  it('finds one row doubled within a file', async () => {
    const found = await afterDamage((root) =>
      rewrite(files(root)[0]!, '(FROM file) UNION ALL (FROM file LIMIT 1)'),
    );
    // Once by its id, once by its offset.
    expect(found).toEqual({ twice: 2 });
  });

  it('finds one row missing', async () => {
    const found = await afterDamage((root) => rewrite(files(root)[0]!, 'FROM file OFFSET 1'));
    expect(found).toEqual({ lost: 1, gaps: 1 });
  });

  it('finds a text and an offset that are not the message’s', async () => {
    expect(
      await afterDamage((root) =>
        rewrite(files(root)[0]!, `SELECT * REPLACE (content || '.' AS content) FROM file LIMIT 1`),
      ),
    ).toMatchObject({ altered: 1 });
    expect(
      await afterDamage((root) =>
        rewrite(files(root)[0]!, `SELECT * REPLACE ("offset" + 1000000 AS "offset") FROM file`),
      ),
    ).toMatchObject({ gaps: expect.any(Number), altered: expect.any(Number) });
  });

  it('finds a file of another customer', async () => {
    const found = await afterDamage((root) => {
      const from = files(root).find((file) => file.includes('customer=customer-00/'))!;
      const to = files(root).find((file) => file.includes('customer=customer-01/'))!;
      copyFileSync(from, to.replace('.parquet', '-x.parquet'));
    });
    expect(found.mixed).toBe(1);
  });

  it('finds dead letters deleted, doubled and invented', async () => {
    expect(await afterDamage((root) => rmSync(files(root, '.jsonl')[0]!))).toMatchObject({
      lost: expect.any(Number),
    });
    const doubled = await afterDamage((root) => {
      const [file] = files(root, '.jsonl');
      const text = readFileSync(file!, 'utf8');
      writeFileSync(file!, text + text.slice(0, text.indexOf('\n') + 1));
    });
    expect(doubled).toEqual({ twice: 2 });
  });

  it('finds rows that nobody wrote, those of an aborted transaction included', async () => {
    const index = record.findIndex(({ fate }) => fate === 'row');
    const written = record.map((line, at) => (at === index ? { ...line, fate: 'aborted' as const } : line));
    expect(await afterDamage(() => undefined, written)).toEqual({ foreign: 1, gaps: 1 });
  });
});
