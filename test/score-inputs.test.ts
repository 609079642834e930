import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shardPath } from '../src/archive/index.ts';
import { MisconfiguredError } from '../src/errors.ts';
import { findScoreInputs, isWithin } from '../src/score-inputs.ts';
import { bindRequest } from '../src/score-request.ts';
import { s3ConnectionConfig } from '../src/s3-connection-config.ts';
import { archiveRows, writeParquet } from './ingest/parquet-file.ts';

const DAY = 86_400_000;
const s3 = s3ConnectionConfig.parse({});

describe('the files of a slice', () => {
  const customer = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 });
  const day = fc.integer({ min: 0, max: 40_000 });

  it('are those in whose folders its rows are, and never less', () => {
    fc.assert(
      fc.property(customer, customer, day, fc.option(day), fc.option(day), (name, other, at, first, last) => {
        const iso = new Date(at * DAY).toISOString().slice(0, 10);
        const path = `${shardPath({ customer: name, day: iso }, ['customer', 'day'])}x.parquet`;
        const from = first === null ? undefined : first * DAY + 1;
        const to = last === null ? undefined : last * DAY;
        const holds = (from === undefined || (at + 1) * DAY > from) && (to === undefined || at * DAY < to);
        expect(isWithin(path, { customer: name, from, to })).toBe(holds);
        expect(isWithin(path, { customer: other, from, to })).toBe(holds && name === other);
        expect(isWithin(path, { from, to })).toBe(holds);
      }),
    );
  });

  it('are all where paths do not tell, and none that are not content', () => {
    const bounds = { customer: 'a', from: 0, to: DAY };
    expect(isWithin('x.parquet', bounds)).toBe(true);
    expect(isWithin('dt=1970-01-01/hour=23/x.parquet', bounds)).toBe(true);
    expect(isWithin('dt=__HIVE_DEFAULT_PARTITION__/x.parquet', { customer: 'a' })).toBe(true);
    expect(isWithin('dt=__HIVE_DEFAULT_PARTITION__/x.parquet', bounds)).toBe(false);
    for (const path of [
      '_feedback/x.parquet',
      '_sluice/x',
      '_replays/l/x.parquet',
      '.tmp.parquet',
      'a/x.json',
    ])
      expect(isWithin(path, {})).toBe(false);
  });
});

describe('inputs', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-score-inputs-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const put = (name: string) => {
    const file = join(directory, name);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  const find = (inputs: string[], bounds = {}) => findScoreInputs(inputs, { bounds, s3 });

  it('are an archive by its folder or by the columns of a file, else messages', async () => {
    const archived = put('archive/customer=a/dt=2026-01-01/x.parquet');
    await writeParquet(archived, archiveRows(1));
    const plain = put('plain.parquet');
    await writeParquet(plain, `SELECT 1 AS n`);
    const lines = put('lines.jsonl');
    writeFileSync(lines, '{}\n');
    expect(await find([join(directory, 'archive')])).toMatchObject({ kind: 'archive', inputs: [archived] });
    expect(await find([archived])).toMatchObject({ kind: 'archive', inputs: [archived] });
    expect(await find([plain, lines, '-'])).toMatchObject({ kind: 'messages', inputs: [plain, lines, '-'] });
    await expect(find([archived, lines])).rejects.toThrow(/archives or messages/);
    // Of one glob, whichever comes last.
    for (const name of ['mixed/a.parquet', 'mixed/z.parquet'])
      await writeParquet(put(name), name.includes('a.') ? archiveRows(1) : `SELECT 1 AS n`);
    await expect(find([join(directory, 'mixed/*.parquet')])).rejects.toThrow(/archives or messages/);
    const cut = put('cut.parquet');
    writeFileSync(cut, readFileSync(plain).subarray(0, 40));
    await expect(find([cut])).rejects.toThrow(/^[^\n]*cut\.parquet: cannot be read: [^\n]+$/);
    await expect(find([join(directory, 'archive')], { customer: 'b' })).rejects.toThrow(
      /files of the slice, got 1 files of others/,
    );
  });

  it('bind a directory to one request', async () => {
    const out = join(directory, 'out');
    const run = await bindRequest(out, { model: 'm', from: '2026-01-01' });
    expect(run).toMatch(/^[0-9a-f]{8}$/);
    expect(await bindRequest(out, { model: 'm', from: '2026-01-01' })).toBe(run);
    await expect(bindRequest(out, { model: 'n', to: '2027' })).rejects.toThrow(/another model, from, to/);
    put('other/file');
    writeFileSync(join(directory, 'other/file'), '');
    await expect(bindRequest(join(directory, 'other'), {})).rejects.toThrow(MisconfiguredError);
  });
});
