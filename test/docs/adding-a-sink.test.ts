import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { check, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/adding-a-sink.md'), 'utf8');

/** A code block of the page, with the file that is named above it. */
interface Block {
  readonly path: string;
  readonly language: string;
  readonly code: string;
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^`([^`\n]+)`\n\n```(\w+)\n([^]*?)^```$/gm)].map(([, path, language, code]) => ({
    path: path!,
    language: language!,
    code: code!,
  }));
}

/** Puts the lines with a `+` behind the text of the line before them, which must be there once. */
function applied(text: string, diff: string): string {
  let place = -1;
  for (const line of diff.split('\n').filter(Boolean)) {
    const content = line.slice(1);
    if (line.startsWith('+')) {
      text = `${text.slice(0, place)}\n${content}${text.slice(place)}`;
      place += content.length + 1;
      continue;
    }
    expect(text.split(content), `${content} once`).toHaveLength(2);
    place = text.indexOf(content) + content.length;
  }
  return text;
}

function run(cwd: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, VITEST: undefined, NO_COLOR: '1' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((done, fail) => child.on('error', fail).on('close', (code) => done({ code, output })));
}

describe('docs/adding-a-sink.md', () => {
  const blocks = blocksOf(PAGE);
  let copy: string;
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
    for (const each of ['src', 'test/contract', 'test/sample-decision.ts', 'package.json', 'tsconfig.json'])
      cpSync(join(ROOT, each), join(copy, each), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const { path, language, code } of blocks) {
      const place = join(copy, path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, language === 'diff' ? applied(readFileSync(place, 'utf8'), code) : code);
    }
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it('has every block under the name of its file', () => {
    expect(blocks.map(({ path, language }) => `${language} ${path}`)).toEqual([
      'ts src/sinks/ndjson-sink-config.ts',
      'ts src/sinks/ndjson-sink.ts',
      'diff src/sinks/config.ts',
      'diff src/sinks/open.ts',
      'ts test/sinks/ndjson-sink.test.ts',
    ]);
    expect(PAGE.match(/^```\w+$/gm)).toHaveLength(blocks.length);
  });

  it('is written as the other sources are', async () => {
    const style = await resolveConfig(join(ROOT, 'src/main.ts'));
    const written = blocks.filter(({ language }) => language === 'ts');
    for (const { path, code } of written)
      expect(await check(code, { ...style, filepath: path }), `prettier ${path}`).toBe(true);
    const { code, output } = await run(
      copy,
      join(ROOT, 'node_modules/oxlint/bin/oxlint'),
      '--config',
      join(ROOT, '.oxlintrc.json'),
      '--type-aware',
      ...written.map(({ path }) => path),
    );
    expect(code, output).toBe(0);
  });

  it('type-checks when it is applied', async () => {
    const files = blocks.map(({ path }) => path);
    writeFileSync(
      join(copy, 'tsconfig.page.json'),
      JSON.stringify({ extends: './tsconfig.json', include: [], files }),
    );
    const { code, output } = await run(copy, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.page.json');
    expect([code, output]).toEqual([0, '']);
  });

  it('makes a sink that keeps the contract', async () => {
    const { code, output } = await run(
      copy,
      'node_modules/vitest/vitest.mjs',
      'run',
      '--root',
      copy,
      'test/sinks/ndjson-sink.test.ts',
    );
    expect(code, output).toBe(0);
    // The contract's tests and those beside it: none was left out.
    expect(Number(/Tests\D+(\d+) passed/.exec(output)?.[1])).toBeGreaterThan(12);
  });

  it('names files that there are', () => {
    const links = [...PAGE.matchAll(/\]\((\.\.\/[^)#]+)/g)].map(([, path]) => resolve(ROOT, 'docs', path!));
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });
});
