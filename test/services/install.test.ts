import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cacheDirectory, installOnce, isInstalled } from '../../scripts/services/cache.ts';
import { scratch, services } from './scratch.ts';
import { servicesNeededBy } from './needs.ts';

afterEach(() => vi.unstubAllEnvs());

const asRoot = process.getuid?.() === 0;

describe('a machine that lacks a tool', () => {
  it.each([
    ['kafka', 'java (17 or newer), openssl, mvn', 'openjdk-17-jre-headless openssl maven'],
    ['s3', 'go', 'golang'],
    ['redis', 'redis-server', 'redis-server'],
    ['dynamodb', 'java (17 or newer), mvn', 'openjdk-17-jre-headless maven'],
    [
      'opensearch',
      `java (17 or newer)${asRoot ? ', setpriv' : ''}, mvn`,
      `openjdk-17-jre-headless ${asRoot ? 'util-linux ' : ''}maven`,
    ],
    ['glue', 'python3 with the modules venv and ensurepip', 'python3 python3-venv'],
  ])('%s names it and the command that installs it', async (name, tools, packages) => {
    const directory = scratch();
    const env = { PATH: '', SLUICE_CACHE: join(directory, 'cache') };
    const { code, stderr } = await services(directory, ['up', name], env);
    expect(code).toBe(1);
    expect(stderr.split('\n').at(-2)).toBe(
      `${name} needs ${tools} on the PATH: not found; install with \`apt-get install ${packages}\``,
    );
  });
});

describe('the cache', () => {
  it('builds once, however many want it at the same time', async () => {
    vi.stubEnv('SLUICE_CACHE', scratch());
    let builds = 0;
    const build = async (directory: string) => {
      builds++;
      await new Promise((done) => setTimeout(done, 200));
      writeFileSync(join(directory, 'program'), '');
    };
    const places = await Promise.all([1, 2, 3].map(() => installOnce('thing-1.0', build)));
    expect(new Set(places)).toEqual(new Set([join(cacheDirectory(), 'thing-1.0')]));
    expect(builds).toBe(1);
    expect(existsSync(join(places[0]!, 'program'))).toBe(true);
  });

  it('forgets a build that failed half-way', async () => {
    vi.stubEnv('SLUICE_CACHE', scratch());
    const failing = async (directory: string) => {
      writeFileSync(join(directory, 'half'), '');
      throw new Error('the network went away');
    };
    await expect(installOnce('thing-1.0', failing)).rejects.toThrow('the network went away');
    expect(isInstalled('thing-1.0')).toBe(false);
    expect(readdirSync(cacheDirectory())).toEqual(['locks']);
    await installOnce('thing-1.0', async () => undefined);
    expect(isInstalled('thing-1.0')).toBe(true);
  });
});

it('tests need the services whose variables they, or what they import, mention', () => {
  const root = join(import.meta.dirname, '..', `.needs-${process.pid}`);
  mkdirSync(root);
  try {
    const name = (service: string) => `process.env.SLUICE_${service}`;
    writeFileSync(join(root, 'a.ts'), `import { x } from './b.ts'; ${name('REDIS')}; ${name('OTHER')}`);
    writeFileSync(join(root, 'b.ts'), `import './a.ts'; ${name('S3_DIRECTORY')}`);
    writeFileSync(join(root, 'c.ts'), 'nothing');
    expect(servicesNeededBy([join(root, 'a.ts')])).toEqual(['s3', 'redis']);
    expect(servicesNeededBy([join(root, 'c.ts')])).toEqual([]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
