import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from './cli.ts';

const ROOT = resolve(import.meta.dirname, '../..');

it('the published package works where only its own files and its dependencies are', () => {
  const directory = scratch();
  execFileSync('npm', ['pack', '--pack-destination', directory, '--loglevel=error'], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'))!;
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  execFileSync('tar', ['xzf', join(directory, tarball), '-C', modules]);
  execFileSync('mv', [join(modules, 'package'), join(modules, 'sluice')]);
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'sluice')
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  expect(readdirSync(join(modules, 'sluice'))).not.toContain('src');
  const docs = readdirSync(join(modules, 'sluice/docs')).filter((name) => name.endsWith('.md'));
  expect(docs.length).toBeGreaterThan(5);
  for (const page of ['README.md', ...docs.map((name) => `docs/${name}`)]) {
    const text = readFileSync(join(modules, 'sluice', page), 'utf8');
    const missing = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => join(dirname(page), target!))
      // The sources, the suites, and how the model was trained, are only in the repository.
      .filter((target) => !/^(src|test|training|benchmarks)\//.test(target))
      .filter((target) => !existsSync(join(modules, 'sluice', target)));
    expect([page, missing]).toEqual([page, []]);
  }
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [join(modules, 'sluice/bin/sluice.js'), ...args], {
      cwd: directory,
      encoding: 'utf8',
    });
  expect(run('--help')).toContain('Usage: sluice');
  expect(run('demo')).toContain('Decisions by customer');
  expect(run('query', 'select count(*) as n from content', '--format', 'json')).toMatch(/"n":24\d{3}/);
});
