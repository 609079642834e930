import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OperationalError } from '../../src/errors.ts';
import { exchange } from './exchange.ts';
import { execute } from './execute.ts';
import { HOST } from './ports.ts';
import { portOf, type Service } from './service.ts';
import { requireTools, type Tool } from './tools.ts';
import { UNPRIVILEGED_TOOLS, unprivileged } from './unprivileged.ts';

const USER = 'sluice';
const PASSWORD = 'sluice-secret';
const DATABASE = 'postgres';

/** Where Debian has them, one directory per major version, off the PATH. */
const DEBIAN = '/usr/lib/postgresql';
const POSTGRES: Tool = {
  command: 'postgres',
  packages: ['postgresql'],
  directories: () =>
    (existsSync(DEBIAN) ? readdirSync(DEBIAN) : [])
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(DEBIAN, version, 'bin')),
};

/**
 * The machine's PostgreSQL, the newest version of it, with a password (SCRAM) and its usual durability: a killed one comes
 * back with what was committed. SIGSTOP stops new connections only: those that are there have processes of their own.
 */
export const postgres: Service = {
  name: 'postgres',
  ports: ['postgres'],

  async install() {
    const [path] = await requireTools('postgres', [POSTGRES, ...UNPRIVILEGED_TOOLS]);
    // A link on the PATH says nothing of where its siblings are.
    return dirname(realpathSync(path!));
  },

  async prepare({ directory }, installed) {
    const data = join(directory, 'data');
    if (existsSync(data)) return;
    const password = join(directory, 'password');
    await writeFile(password, PASSWORD);
    await rm(`${data}.tmp`, { recursive: true, force: true });
    const { program, args } = unprivileged({
      program: join(installed, 'initdb'),
      args: [
        ['--pgdata', `${data}.tmp`, '--username', USER, '--pwfile', password, '--auth', 'scram-sha-256'],
        // Whatever the locale of this machine. Not synced: that matters once data is in it.
        ['--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
      ].flat(),
    });
    await execute(program, args, { cwd: directory });
    await rename(`${data}.tmp`, data);
  },

  command: (run, installed) =>
    unprivileged({
      program: join(installed, 'postgres'),
      args: [
        ['-D', 'data', '-c', `listen_addresses=${HOST}`, '-c', `port=${portOf(run, 'postgres')}`],
        // No socket file: paths of directories are longer than its name may be.
        ['-c', 'unix_socket_directories='],
      ].flat(),
    }),

  // Fast shutdown; SIGTERM would wait for clients to leave: https://www.postgresql.org/docs/15/server-shutdown.html
  endSignal: 'SIGINT',

  endRest: ({ directory }) => endBackends(join(directory, 'data')),

  healthy: (run) => exchange(portOf(run, 'postgres'), STARTUP, asksForPassword),

  environment: (run) => ({
    SLUICE_POSTGRES: `postgres://${USER}:${PASSWORD}@${HOST}:${portOf(run, 'postgres')}/${DATABASE}`,
  }),
};

/** A StartupMessage of protocol 3.0: https://www.postgresql.org/docs/15/protocol-message-formats.html */
const STARTUP = startupMessage({ user: USER, database: DATABASE });

function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const texts = Object.entries(parameters).flat();
  const body = Buffer.from([...texts, ''].map((text) => `${text}\0`).join(''));
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + body.length, 0);
  head.writeInt32BE(3 << 16, 4);
  return Buffer.concat([head, body]);
}

/** Whether the answer is an Authentication message; while it starts or recovers, PostgreSQL answers ErrorResponse. */
function asksForPassword(answer: Buffer): boolean | undefined {
  return answer.length > 0 ? answer[0] === 'R'.charCodeAt(0) : undefined;
}

/**
 * Ends the processes of a server that was killed: they lead sessions of their own, finish the query they are at, and until
 * then no server starts on that data. Known by their program and working directory, the data's; only where there is /proc.
 */
async function endBackends(data: string): Promise<void> {
  if (!existsSync('/proc/self/cwd')) return;
  for (let attempt = 0; attempt < 500; attempt++) {
    const pids = processesIn(data);
    if (pids.length === 0) {
      // It names a killed server, which counts as alive until its parent, maybe a container's that never does, reaps it.
      await rm(join(data, 'postmaster.pid'), { force: true });
      return;
    }
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await delay(20);
  }
  throw new OperationalError(
    `expected the processes of PostgreSQL in ${data} to end after SIGKILL, ${processesIn(data).join(', ')} run`,
  );
}

function processesIn(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const path = realpathSync(directory);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/cwd`) !== path) return false;
        return basename(readlinkSync(`/proc/${pid}/exe`)) === 'postgres';
      } catch {
        // Gone since, or another user's.
        return false;
      }
    })
    .map(Number);
}
