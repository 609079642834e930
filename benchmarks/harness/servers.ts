import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { bringUp } from '../../scripts/services/lifecycle.ts';
import { runDirectory, readState } from '../../scripts/services/state.ts';
import { ensureServices, serviceEnvironment, stopService } from '../../scripts/services/index.ts';
import { s3 } from '../../scripts/services/s3.ts';
import type { Service } from '../../scripts/services/service.ts';
import { countRequests } from './access-log.ts';
import { processFigures } from './process-tree.ts';

/** The S3 server of the tests, which here writes down every request. */
const loggingS3: Service = {
  ...s3,
  command(run, installed) {
    const { program, args } = s3.command(run, installed);
    // Options of the server stand before the name of its backend.
    const backend = args.indexOf('posix');
    return {
      program,
      args: [
        ...args.slice(0, backend),
        '--access-log',
        join(run.directory, ACCESS_LOG),
        ...args.slice(backend),
      ],
    };
  },
};
const ACCESS_LOG = 'access.log';

/** Servers of the benchmarks: real ones, on this machine, apart from those of the tests. */
export interface Servers {
  /** Address of the broker, host:port. */
  readonly broker: string;
  /** URL of the S3 server, and the directory in which a bucket is a directory and an object a file. */
  readonly endpoint: string;
  readonly objects: string;
  /** Variables for clients of both, credentials included. */
  readonly environment: Readonly<Record<string, string>>;
  /** CPU seconds that the servers used so far. */
  cpuSeconds(): Promise<number>;
  /** Marks a place in the S3 server's log; what it resolves with counts the requests for a bucket since then. */
  watchRequests(bucket: string): Promise<() => Promise<number>>;
  /** Ends those that `openServers` started; their data stays for the next run. */
  close(): Promise<void>;
}

/** Starts what does not run of broker, S3 server and further services by name, such as `redis`. */
export async function openServers(further: readonly string[] = []): Promise<Servers> {
  const directory = `${runDirectory()}-benchmarks`;
  const names = ['kafka', 's3', ...further];
  const startedS3 = await bringUp(loggingS3, directory);
  const { started } = await ensureServices(['kafka', ...further], { directory });
  const environment = await serviceEnvironment(names, { directory });
  const log = join(directory, 's3', ACCESS_LOG);
  return {
    broker: environment['SLUICE_KAFKA']!,
    endpoint: environment['SLUICE_S3']!,
    objects: environment['SLUICE_S3_DIRECTORY']!,
    environment,
    async cpuSeconds() {
      let total = 0;
      for (const name of names) {
        const state = await readState(directory, name);
        const figures = state?.process ? processFigures(state.process.pid) : undefined;
        total += figures ? figures.own + figures.ended : 0;
      }
      return total;
    },
    async watchRequests(bucket) {
      const from = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
      return async () => {
        const file = await open(log);
        try {
          const { size } = await file.stat();
          const { buffer } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
          return countRequests(buffer.toString('utf8'), bucket);
        } finally {
          await file.close();
        }
      };
    },
    async close() {
      for (const name of [...started, ...(startedS3 ? ['s3'] : [])]) await stopService(name, { directory });
    },
  };
}
