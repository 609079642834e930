import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from '../../scripts/services/cache.ts';
import { execute } from '../../scripts/services/execute.ts';
import { requireTools } from '../../scripts/services/tools.ts';
import { digestOf } from '../harness/machine.ts';
import { environmentOf, type Peer } from './peer.ts';

/** A peer that is a Python program: `main.py` and `requirements.txt` in its folder. */
export function createPythonPeer(options: {
  readonly name: string;
  readonly title: string;
  /** The command, from the names of python and of the program. Default: one runs the other. */
  readonly program?: (python: string, main: string) => readonly [string, ...string[]];
}): Peer {
  const { name, title } = options;
  const folder = join(import.meta.dirname, name);
  const requirements = join(folder, 'requirements.txt');
  return {
    name,
    title,
    async install() {
      const digest = digestOf([`benchmarks/peers/${name}/requirements.txt`]);
      const [python] = await requireTools(`benchmark peer ${name}`, [
        { command: 'python3', packages: ['python3', 'python3-venv'] },
      ]);
      const directory = await installOnce(`peer-${name}-${digest}`, async (place) => {
        // Packages lie beside each other in a folder, not in a venv, whose programs know the path that they were made for.
        await execute(python!, [
          '-m',
          'pip',
          'install',
          '-q',
          '--target',
          join(place, 'packages'),
          '-r',
          requirements,
        ]);
      });
      const version = (await execute(python!, ['--version'])).trim().replace(/^Python /, '');
      const pinned = readFileSync(requirements, 'utf8').matchAll(/^([\w-]+)==(\S+)/gm);
      return {
        directory,
        versions: {
          python: version,
          ...Object.fromEntries([...pinned].map(([, each, at]) => [each!, at!])),
          program: digestOf([`benchmarks/peers/${name}`]),
        },
      };
    },
    command(job, { directory }) {
      const [program, ...args] = options.program?.('python3', 'main') ?? ['python3', '-m', 'main'];
      const env = {
        ...environmentOf(job),
        PYTHONPATH: `${join(directory, 'packages')}:${folder}`,
        PYTHONDONTWRITEBYTECODE: '1',
      };
      return { program, args, env };
    },
  };
}
