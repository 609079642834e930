import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { content } from '../../benchmarks/content.ts';
import type { VerifyReport } from '../../src/archive/index.ts';
import { scratch, sluice, start, writeConfig } from './cli.ts';

const MESSAGES = 20_000;

async function archived(): Promise<{ directory: string; config: string; files: string[] }> {
  const directory = scratch();
  const lines = [...content({ messages: MESSAGES, customers: 5, seed: 3, broken: 0.01 })];
  writeFileSync(
    join(directory, 'content.jsonl'),
    Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])),
  );
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['content.jsonl'] },
    classify: { model: 'drop' },
    archive: { store: { type: 'directory', path: './out' }, rotate: { rows: 3000 } },
  });
  const { code, stderr } = await sluice(['run', config, '--until-end']);
  expect(code, stderr).toBe(0);
  const files = readdirSync(join(directory, 'out'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(directory, 'out', name))
    .toSorted();
  return { directory, config, files };
}

describe('sluice verify', () => {
  it('holds after a run, names what is damaged after it, and says when it cannot tell', async () => {
    const { directory, config, files } = await archived();
    const good = await sluice(['verify', config, '--json']);
    expect(good.code, good.stderr).toBe(0);
    const report = JSON.parse(good.stdout) as VerifyReport;
    expect(report.rows + report.dead_letters + report.skipped).toBe(MESSAGES);
    expect(report).toMatchObject({ holds: true, files: expect.any(Number), absent: 0, notes: [] });
    expect(report.dead_letters).toBeGreaterThan(0);
    expect(report.transactions).toBeGreaterThan(1);
    expect(report.partitions).toEqual([
      { pipeline: 'sluice', topic: 'file', partition: 0, from: 0, to: MESSAGES, committed: MESSAGES },
    ]);
    const future = await sluice(['verify', config, '--quick', '--since', '2999-01-01']);
    expect([future.code, future.stdout]).toEqual([0, expect.stringContaining('and there are none since')]);
    // It looked only: whoever owns the positions still does.
    expect((await sluice(['run', config, '--until-end', '--json'])).stdout).toContain('"messages":0');

    const positions = join(directory, 'out', '_sluice', 'sluice.positions');
    renameSync(positions, `${positions}.away`);
    const lost = await sluice(['verify', config, '--quick']);
    expect([lost.code, lost.stdout.split('\n')[0]]).toEqual([
      1,
      `ahead_of_commit file-0 0 to ${MESSAGES}: archived, but only 0 is committed`,
    ]);
    renameSync(`${positions}.away`, positions);

    const bytes = readFileSync(files[0]!);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(files[0]!, bytes);
    rmSync(files[1]!);
    writeFileSync(join(directory, 'out', 'stray.parquet'), 'PAR1');
    const bad = await sluice(['verify', config]);
    expect(bad.code).toBe(1);
    for (const kind of ['file_checksum 1', 'file_missing 1', 'file_orphan 1'])
      expect(bad.stdout).toContain(kind);
    expect(bad.stdout).toContain('file_orphan stray.parquet');
    expect((await sluice(['verify', config, '--quick', '--limit', '1'])).stdout).toContain('and 1 more');
    expect((await sluice(['verify', config, '--archive-only'])).stdout).toContain(
      'committed positions were not checked',
    );

    const unknown = await sluice(['verify', join(directory, 'none.yaml')]);
    expect([unknown.code, unknown.stdout]).toEqual([2, '']);
    expect(unknown.stderr).toContain('cannot read the configuration');
    expect((await sluice(['verify', config, '--fast'])).code).toBe(2);
    const limit = await sluice(['verify', config, '--limit', 'abc']);
    expect([limit.code, limit.stdout]).toEqual([2, '']);
    expect(limit.stderr).toContain("argument 'abc' is invalid. expected a whole number");
    const since = await sluice(['verify', config, '--since', 'yesterday']);
    expect([since.code, since.stderr]).toEqual([
      2,
      'sluice: --since: expected a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z, got yesterday\n',
    ]);
  }, 120_000);

  it('holds after kill -9 at the points around the commit, before and after the restart', async () => {
    const directory = scratch();
    writeFileSync(
      join(directory, 'content.jsonl'),
      [...content({ messages: 500, customers: 3, seed: 4 })]
        .map((line) => `${Buffer.from(line).toString()}\n`)
        .join(''),
    );
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['content.jsonl'] },
      classify: { model: 'drop' },
    });
    for (const point of ['before-commit', 'after-commit', 'during-recovery']) {
      const killed = await start(['run', config, '--until-end'], { env: { SLUICE_CRASH_AT: point } })
        .finished;
      expect([point, killed.signal]).toEqual([point, 'SIGKILL']);
      const { code, stdout } = await sluice(['verify', config]);
      expect(code, stdout).toBe(0);
    }
    expect((await sluice(['run', config, '--until-end'])).code).toBe(0);
    const after = JSON.parse((await sluice(['verify', config, '--json'])).stdout) as VerifyReport;
    expect([after.holds, after.rows + after.dead_letters, after.unfinished]).toEqual([true, 500, 0]);
  }, 120_000);

  it('cannot tell where nothing was archived', async () => {
    const config = writeConfig(scratch(), { source: { type: 'file', inputs: ['content.jsonl'] } });
    const { code, stdout } = await sluice(['verify', config]);
    expect([code, stdout.split('\n')[0]]).toEqual([
      2,
      expect.stringContaining('has no transaction, so nothing is proved'),
    ]);
    expect(JSON.parse((await sluice(['verify', config, '--json'])).stdout)).toMatchObject({ holds: null });
  }, 60_000);

  it('replay refuses files, and says what to do instead', async () => {
    const config = writeConfig(scratch(), { source: { type: 'file', inputs: ['content.jsonl'] } });
    const { code, stderr } = await sluice(['replay', config, '--from-time', '2026-01-01']);
    expect([code, stderr]).toEqual([
      1,
      'sluice: replay: expected a source of type kafka, got file; to archive files again, run them with another archive.store.path\n',
    ]);
  }, 60_000);
});
