import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from '../../../scripts/services/cache.ts';
import { execute } from '../../../scripts/services/execute.ts';
import { digestOf } from '../../harness/machine.ts';
import { environmentOf, type Peer } from '../peer.ts';

const FOLDER = import.meta.dirname;

/** kafkajs and parquetjs-lite. The program lies beside its packages, since ES modules are looked for from there only. */
export const parquetjs: Peer = {
  name: 'parquetjs',
  title: 'Node, kafkajs + parquetjs-lite as first written',

  async install() {
    const program = digestOf(['benchmarks/peers/parquetjs']);
    const directory = await installOnce(`peer-parquetjs-${program}`, async (place) => {
      for (const name of ['package.json', 'main.js']) cpSync(join(FOLDER, name), join(place, name));
      await execute('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: place });
    });
    const { dependencies } = JSON.parse(readFileSync(join(FOLDER, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    return { directory, versions: { ...dependencies, node: process.versions.node, program } };
  },

  command: (job, { directory }) => ({
    program: process.execPath,
    args: [join(directory, 'main.js')],
    env: environmentOf(job),
  }),
};
