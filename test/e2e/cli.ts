import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { query, type QueryResult } from '../../src/archive/index.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** What a finished process left. `signal` is set when it was killed. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the real command line as its own process. */
export function start(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: boolean } = {},
): {
  process: ChildProcess;
  finished: Promise<Finished>;
} {
  const child = spawn(process.execPath, [join(ROOT, 'bin/sluice.js'), ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const finished = new Promise<Finished>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return { process: child, finished };
}

/** Runs the command line to its end. */
export function sluice(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
) {
  return start(args, options).finished;
}

/** A directory of its own, removed after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Writes a configuration for an input into `directory` and returns its path. The archive goes to `directory/out`. */
export function writeConfig(directory: string, value: Record<string, unknown>): string {
  const file = join(directory, 'pipeline.yaml');
  writeFileSync(file, stringify({ archive: { store: { type: 'directory', path: './out' } }, ...value }));
  return file;
}

/** Rows of an SQL query over `directory/out`, as objects. */
export async function rows(directory: string, sql: string): Promise<Record<string, unknown>[]> {
  const result: QueryResult = await query(sql, { root: join(directory, 'out') });
  return result.rows.map((row) =>
    Object.fromEntries(result.columns.map((name, index) => [name, row[index]])),
  );
}
