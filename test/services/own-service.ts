import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../../scripts/services/cache.ts';
import {
  ensureServices,
  removeServices,
  signalService,
  startService,
  stopService,
} from '../../scripts/services/index.ts';

/** A server that one test file has to itself, so that it may kill it. */
export interface OwnService {
  /** Its address, as the environment variable of the service has it. */
  readonly address: string;
  /** Ends it by SIGKILL; it keeps its port and its data. */
  kill(): Promise<void>;
  /** Starts it again; resolves when it answers. */
  start(): Promise<void>;
  /** Sends it a signal, such as SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/**
 * Starts one. `memory`: its data lies in memory where the machine has a file system there, for servers that wait for the disk
 * at each write. Credentials for it are put into the environment.
 */
export async function ownService(
  name: string,
  { memory = false }: { readonly memory?: boolean } = {},
): Promise<OwnService> {
  const shared = '/dev/shm';
  const parent = memory && existsSync(shared) ? shared : join(cacheDirectory(), 'run');
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, `test-${name}-`));
  const { environment } = await ensureServices([name], { directory });
  const variable = `SLUICE_${name.toUpperCase()}`;
  const { [variable]: address, ...others } = environment;
  if (address === undefined) throw new Error(`expected ${name} to say ${variable}, it does not`);
  for (const [key, value] of Object.entries(others)) {
    // Empty: to be unset.
    if (value === '') delete process.env[key];
    else process.env[key] = value;
  }
  return {
    address,
    kill: () => stopService(name, { directory, signal: 'SIGKILL' }),
    start: () => startService(name, { directory }),
    signal: (signal) => signalService(name, signal, { directory }),
    async close() {
      await removeServices([name], { directory });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
