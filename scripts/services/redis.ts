import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exchange } from './exchange.ts';
import { HOST } from './ports.ts';
import { portOf, type Service } from './service.ts';
import { requireTools } from './tools.ts';

/** The machine's redis-server, with an append-only file so that a killed one comes back with its data. */
export const redis: Service = {
  name: 'redis',
  ports: ['redis'],

  async install() {
    const [path] = await requireTools('redis', [{ command: 'redis-server', packages: ['redis-server'] }]);
    return path!;
  },

  async prepare({ directory }) {
    await mkdir(join(directory, 'data'), { recursive: true });
  },

  command: (run, installed) => ({
    program: installed,
    args: [
      ['--bind', HOST, '--port', String(portOf(run, 'redis')), '--dir', 'data', '--daemonize', 'no'],
      ['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
    ].flat(),
  }),

  healthy: (run) => answersPing(portOf(run, 'redis')),

  environment: (run) => ({ SLUICE_REDIS: `redis://${HOST}:${portOf(run, 'redis')}` }),
};

/** Whether PING is answered with PONG; while it loads its data, Redis answers LOADING. */
function answersPing(port: number): Promise<boolean> {
  return exchange(port, 'PING\r\n', (answer) => answer.toString().startsWith('+PONG'));
}
