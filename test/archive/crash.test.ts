import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CRASH_POINTS, type CrashPoint } from '../../src/archive/crash.ts';
import { decodeManifest } from '../../src/archive/manifest.ts';
import { query } from '../../src/archive/query.ts';

const scratch = mkdtempSync(join(tmpdir(), 'sluice-crash-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const MESSAGES = 80;

/** Runs the archiver in a process of its own; resolves to its signal, or its exit code. */
function run(directory: string, crashAt = ''): Promise<string | number | null> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'crash-child.ts'), directory, String(MESSAGES)],
    {
      env: { ...process.env, SLUICE_CRASH_AT: crashAt },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
}

async function expectEachOnce(directory: string): Promise<void> {
  const root = join(directory, 'out');
  const messages = Array.from({ length: MESSAGES }, (_, offset) => offset);
  const dead = messages.filter((offset) => offset % 10 === 9);
  const rows = messages.filter((offset) => offset % 10 !== 9 && offset % 11 !== 0);
  const content = await query(`SELECT content_id FROM content ORDER BY ALL`, { root });
  expect(content.rows.flat()).toEqual(rows.map((offset) => `message ${offset}`).toSorted());
  const letters = await query(`SELECT "offset" FROM dead_letters ORDER BY ALL`, { root });
  expect(letters.rows.flat().map(Number)).toEqual(dead);
  const wrong = await query(
    `SELECT * FROM content WHERE NOT contains(filename, 'customer=' || customer || '/')`,
    { root },
  );
  expect(wrong.rows).toEqual([]);
  const left = readdirSync(root, { recursive: true }).filter((path) => String(path).endsWith('.tmp'));
  expect(left).toEqual([]);
}

/** The ledger of what was committed: ranges that follow each other, and files that are there with their rows. */
function expectLedger(directory: string): void {
  const manifests = join(directory, 'out', '_sluice', 'manifests');
  const transactions = readdirSync(manifests)
    .toSorted()
    .map((name) =>
      decodeManifest(readFileSync(join(manifests, name), 'utf8'), name.replace('.json', ''), name),
    )
    .map(({ transaction }) => transaction);
  // A manifest whose commit never came stands beside the one that settled its offsets later.
  const settled = new Map(transactions.map(({ partitions }) => [partitions[0]!.from, partitions[0]!]));
  let at = 0;
  while (at < MESSAGES) {
    const range = settled.get(at)!;
    expect(range.to - range.from).toBe(range.rows + range.deadLetters + range.skipped);
    at = range.to;
  }
  expect(at).toBe(MESSAGES);
}

/** Points that only a recovery with something to publish passes. */
const RECOVERY = new Set<CrashPoint>(['during-recovery', 'after-recovery']);

describe('the next start has each message exactly once when the process was', () => {
  for (const point of CRASH_POINTS) {
    it.concurrent(`killed ${point}`, async () => {
      const directory = mkdtempSync(join(scratch, `${point}-`));
      if (RECOVERY.has(point)) expect(await run(directory, 'before-publish#2')).toBe('SIGKILL');
      // The second time: a flush that follows a whole one, a file among others.
      expect(
        await run(directory, RECOVERY.has(point) || point === 'before-recovery' ? point : `${point}#2`),
      ).toBe('SIGKILL');
      expect(await run(directory)).toBe(0);
      await expectEachOnce(directory);
      expectLedger(directory);
    });
  }

  it.concurrent('one kill after the other', async () => {
    const directory = mkdtempSync(join(scratch, 'all-'));
    for (const point of [
      'before-commit',
      'after-commit',
      'during-recovery#3',
      'before-publish',
      'after-publish#5',
      'after-recovery',
    ]) {
      expect(await run(directory, point)).toBe('SIGKILL');
    }
    expect(await run(directory)).toBe(0);
    await expectEachOnce(directory);
    // Nothing new to read, and still recovered: nothing changes.
    expect(await run(directory)).toBe(0);
    await expectEachOnce(directory);
  });
});
