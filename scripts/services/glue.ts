import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from './cache.ts';
import { execute } from './execute.ts';
import { answersHttp } from './http.ts';
import { HOST } from './ports.ts';
import { portOf, type Service } from './service.ts';
import { requireTools, type Tool } from './tools.ts';

const VERSION = '5.2.5';

const PYTHON: Tool = {
  command: 'python3',
  packages: ['python3', 'python3-venv'],
  description: 'python3 with the modules venv and ensurepip',
  suffices: async (path) => {
    await execute(path, ['-c', 'import venv, ensurepip']);
    return true;
  },
};

/** moto's server: AWS Glue's API (and those of other AWS services) kept in memory; a restart forgets everything. */
export const glue: Service = {
  name: 'glue',
  ports: ['http'],

  install: () =>
    installOnce(`moto-${VERSION}`, async (directory) => {
      const [python] = await requireTools('glue', [PYTHON]);
      await execute(python!, ['-m', 'venv', directory]);
      await execute(join(directory, 'bin/python'), [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        `moto[server]==${VERSION}`,
      ]);
    }),

  async prepare({ directory }) {
    await mkdir(directory, { recursive: true });
  },

  command: (run, installed) => ({
    // As a module: the scripts of a venv name the path that it was built at.
    program: join(installed, 'bin/python'),
    args: ['-m', 'moto.server', '-H', HOST, '-p', String(portOf(run, 'http'))],
  }),

  healthy: (run) => answersHttp(`http://${HOST}:${portOf(run, 'http')}/moto-api/`),

  environment: (run) => ({ SLUICE_GLUE: `http://${HOST}:${portOf(run, 'http')}` }),
};
