import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CorruptError, MisconfiguredError } from './errors.ts';

/** Name of the pipeline of every scoring: in its position file and its manifests. */
export const SCORE_NAME = 'score';

/** What a directory was, or is, filled with, by the words of the command line: values that JSON has. */
export type ScoreRequest = Readonly<Record<string, unknown>>;

/**
 * Binds a directory to one request: the first one is written down in it, and only the same may go on with it, so that no
 * archive is a mix of two. Resolves with the name of the run, eight hex digits drawn when it was begun. Throws
 * MisconfiguredError naming what differs, and for a directory that holds anything else.
 */
export async function bindRequest(directory: string, request: ScoreRequest): Promise<string> {
  const file = join(directory, '_sluice', 'score.json');
  const before = await readIfThere(file);
  if (before === undefined) {
    const others = await readdir(directory).catch(() => []);
    if (others.length > 0)
      throw new MisconfiguredError(
        `--out ${directory}: expected an empty or a new directory, or one of an earlier \`sluice score\`, got one with ${others[0]}`,
      );
    await mkdir(join(directory, '_sluice'), { recursive: true });
    const run = randomBytes(4).toString('hex');
    await writeFile(join(directory, '_sluice', 'score.yaml'), verifying(run));
    await writeFile(`${file}.new`, `${JSON.stringify({ run, request }, null, 2)}\n`);
    await rename(`${file}.new`, file);
    return run;
  }
  const { run, request: known } = parsed(before, file);
  const names = [...new Set([...Object.keys(known), ...Object.keys(request)])];
  const different = names.filter((name) => !isSame(known[name], request[name]));
  if (different.length > 0)
    throw new MisconfiguredError(
      `--out ${directory}: expected the request that it was begun with, got another ${different.join(', ')}: take another directory, or remove this one to begin again`,
    );
  return run;
}

/** Topic of the rows of a run: its decisions must not have the ids of another's, which receivers would drop as repeats. */
export function topicOf(run: string): string {
  return `score-${run}`;
}

/** A configuration by which `sluice verify` finds the archive that it lies in. */
function verifying(run: string): string {
  return [
    '# For `sluice verify`: proves that every row that was read is in exactly one row, one dead letter, or was skipped.',
    `name: ${SCORE_NAME}`,
    `source: { type: file, inputs: ['-'], topic: ${topicOf(run)} }`,
    'archive: { store: { type: directory, path: .. } }',
    '',
  ].join('\n');
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new MisconfiguredError(`${file}: cannot be read: ${String(error)}`);
  }
}

function parsed(text: string, file: string): { readonly run: string; readonly request: ScoreRequest } {
  try {
    return z.object({ run: z.string(), request: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text));
  } catch {
    throw new CorruptError(
      `${file}: expected the request that the directory was begun with, got something else: remove the directory to begin again`,
    );
  }
}
