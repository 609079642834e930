import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { content } from '../../benchmarks/content.ts';
import { rows, scratch, sluice, writeConfig, type Finished } from './cli.ts';

const MODEL = resolve(import.meta.dirname, '../../models/default');

function lines(messages: number, seed = 3): Buffer {
  return Buffer.concat(
    [...content({ messages, seed, broken: 0 })].flatMap((line) => [Buffer.from(line), Buffer.from('\n')]),
  );
}

/** A failure that an operator can read: exit code not 0, one line that names the thing, no stack. */
function expectOneLine(finished: Finished, pattern: RegExp): void {
  expect(finished.code, finished.stderr).not.toBe(0);
  const own = finished.stderr.split('\n').filter((line) => line.startsWith('sluice: '));
  expect(own.length, finished.stderr).toBe(1);
  expect(own[0]).toMatch(pattern);
  expect(finished.stderr).not.toMatch(/\n\s+at /);
}

describe('what an operator sees when something is wrong', () => {
  it('a wrong configuration: file, line, column, what was expected', async () => {
    const directory = scratch();
    const file = join(directory, 'pipeline.yaml');
    writeFileSync(
      file,
      'source:\n  type: file\n  inputs: [content.jsonl]\narchiv:\n  x: 1\nclassify:\n  batch_tokens: many\n',
    );
    const finished = await sluice(['check', file]);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain(`${file}:4:1 archiv: unknown key; did you mean "archive"?`);
    expect(finished.stderr).toMatch(
      /pipeline\.yaml:7:17 classify\.batch_tokens: expected a number, got "many"/,
    );
  });

  it('an input that is not there', async () => {
    const directory = scratch();
    const config = writeConfig(directory, { source: { type: 'file', inputs: ['missing.jsonl'] } });
    expectOneLine(await sluice(['run', config, '--until-end']), /missing\.jsonl/);
  });

  it('a damaged gzip input: what came before the damage is archived, nothing is lost when it is repaired', async () => {
    const directory = scratch();
    const whole = gzipSync(lines(20_000));
    const input = join(directory, 'content.jsonl.gz');
    writeFileSync(input, whole.subarray(0, Math.floor(whole.length / 2)));
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['content.jsonl.gz'] },
      classify: { model: 'drop' },
    });
    expectOneLine(await sluice(['run', config, '--until-end']), /content\.jsonl\.gz/);
    writeFileSync(input, whole);
    const again = await sluice(['run', config, '--until-end', '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect(await rows(directory, 'select count(*) as n, count(distinct "offset") as o from content')).toEqual(
      [{ n: 20_000n, o: 20_000n }],
    );
  });

  it('a model folder with a damaged file: refused at start', async () => {
    const directory = scratch();
    cpSync(MODEL, join(directory, 'model'), { recursive: true });
    const onnx = join(directory, 'model/onnx/model.onnx');
    const bytes = readFileSync(onnx);
    bytes.fill(0, 1000, 2000);
    writeFileSync(onnx, bytes);
    writeFileSync(join(directory, 'content.jsonl'), lines(10));
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['content.jsonl'] },
      classify: { model: './model' },
    });
    expectOneLine(await sluice(['run', config, '--until-end']), /model\.onnx/);
    expect(readdirSync(directory)).not.toContain('out/customer=acme-social');
  });

  it('a full disk: one clear line, what was archived stays, and the rest follows once there is room', async () => {
    const directory = scratch();
    const disk = join(directory, 'out');
    mkdirSync(disk);
    // A disk of 3 MB of our own: this test needs root on Linux, as CI and containers have.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    writeFileSync(join(directory, 'content.jsonl'), lines(60_000));
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['content.jsonl'] },
      classify: { model: 'drop' },
      archive: { store: { type: 'directory', path: './out' }, rotate: { rows: 5000 } },
    });
    expectOneLine(await sluice(['run', config, '--until-end']), /no space|ENOSPC|full/i);
    const [before] = await rows(
      directory,
      'select count(*) as n, count(distinct "offset") as o from content',
    );
    expect(Number(before!['n'])).toBeGreaterThan(0);
    expect(before!['n']).toBe(before!['o']);
    execFileSync('mount', ['-o', 'remount,size=64m', disk]);
    const again = await sluice(['run', config, '--until-end']);
    expect(again.code, again.stderr).toBe(0);
    expect(await rows(directory, 'select count(*) as n, count(distinct "offset") as o from content')).toEqual(
      [{ n: 60_000n, o: 60_000n }],
    );
  });

  it('an archive directory that cannot be one', async () => {
    const directory = scratch();
    writeFileSync(join(directory, 'content.jsonl'), lines(10));
    writeFileSync(join(directory, 'occupied'), 'a file');
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['content.jsonl'] },
      classify: { model: 'drop' },
      archive: { store: { type: 'directory', path: './occupied' } },
    });
    expectOneLine(await sluice(['run', config, '--until-end']), /occupied/);
  });

  it('wrong SQL, wrong command, wrong flag', async () => {
    const sql = await sluice(['query', 'select nonsense from content', '--archive', scratch()]);
    expectOneLine(sql, /nonsense/);
    expect((await sluice(['rnu'])).code).not.toBe(0);
    expect((await sluice(['run'])).code).not.toBe(0);
  });
});
