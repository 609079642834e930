/**
 * Real servers for tests, the demo and benchmarks: starts what does not run, and remembers it, so that other processes use the
 * same ones. Every function takes the `directory` that holds their state and data; default: one per checkout.
 */
import { OperationalError, isOperational, messageOf } from '../../src/errors.ts';
import { bringUp, halt, inspect, takeDown, type ServiceCondition } from './lifecycle.ts';
import { signalProcess } from './process.ts';
import { SERVICE_NAMES, serviceOf } from './services.ts';
import { readState, runDirectory } from './state.ts';

export type { ServiceCondition } from './lifecycle.ts';
export { SERVICE_NAMES } from './services.ts';

/** Where the services of one checkout, or one test, are. */
export interface ServicesOptions {
  readonly directory?: string;
}

/** Services that run. */
export interface RunningServices {
  /** Names of those that this call started; the others ran before. */
  readonly started: readonly string[];
  /** Environment variables by name, such as `SLUICE_KAFKA`: `127.0.0.1:20500`. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What one service is doing. */
export interface ServiceStatus {
  readonly name: string;
  readonly condition: ServiceCondition;
  /** Null when it is down. */
  readonly address: string | null;
}

/**
 * Brings services up, all at the same time, installing what is missing; resolves when all of them answer. When some fail,
 * throws one OperationalError that has the reason of each.
 */
export async function ensureServices(
  names: readonly string[] = SERVICE_NAMES,
  { directory = runDirectory() }: ServicesOptions = {},
): Promise<RunningServices> {
  const services = names.map(serviceOf);
  const results = await Promise.allSettled(services.map((service) => bringUp(service, directory)));
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
  if (reasons.some((reason) => !isOperational(reason))) throw new AggregateError(reasons);
  if (reasons.length > 0) throw new OperationalError(reasons.map(messageOf).join('\n'));
  return {
    started: names.filter((_name, index) => (results[index] as PromiseFulfilledResult<boolean>).value),
    environment: await serviceEnvironment(names, { directory }),
  };
}

/** Starts one service, with the ports and data that it had before it was stopped or killed. */
export async function startService(name: string, options: ServicesOptions = {}): Promise<void> {
  await ensureServices([name], options);
}

/** Ends one service and keeps its ports and data. Default signal: the one it ends cleanly by, then SIGKILL after ten seconds. */
export async function stopService(
  name: string,
  { signal, directory = runDirectory() }: ServicesOptions & { readonly signal?: NodeJS.Signals } = {},
): Promise<void> {
  await halt(serviceOf(name), directory, signal ? { signal } : {});
}

/** Ends one service and starts it again on the same ports with the same data. */
export async function restartService(
  name: string,
  options: ServicesOptions & { readonly signal?: NodeJS.Signals } = {},
): Promise<void> {
  await stopService(name, options);
  await startService(name, options);
}

/** Sends a signal, such as SIGSTOP and SIGCONT, to a service that runs. Throws OperationalError when it does not. */
export async function signalService(
  name: string,
  signal: NodeJS.Signals,
  { directory = runDirectory() }: ServicesOptions = {},
): Promise<void> {
  const state = await readState(directory, serviceOf(name).name);
  if (!state?.process || !signalProcess(state.process, signal)) {
    throw new OperationalError(`expected ${name} to run, so that it can be sent ${signal}; it does not`);
  }
}

/** Ends services, cleanly, and removes their data. Resolves with the names of those that there were. */
export async function removeServices(
  names: readonly string[] = SERVICE_NAMES,
  { directory = runDirectory() }: ServicesOptions = {},
): Promise<string[]> {
  const services = names.map(serviceOf);
  const removed = await Promise.all(services.map((service) => takeDown(service, directory)));
  return names.filter((_name, index) => removed[index]);
}

/** What each service is doing. */
export function serviceStatus(
  names: readonly string[] = SERVICE_NAMES,
  { directory = runDirectory() }: ServicesOptions = {},
): Promise<ServiceStatus[]> {
  return Promise.all(
    names.map(serviceOf).map(async (service) => {
      const { condition, run } = await inspect(service, directory);
      return {
        name: service.name,
        condition,
        address: run ? Object.values(service.environment(run))[0]! : null,
      };
    }),
  );
}

/** The environment variables that tell where services are, of those that were started. */
export async function serviceEnvironment(
  names: readonly string[] = SERVICE_NAMES,
  { directory = runDirectory() }: ServicesOptions = {},
): Promise<Record<string, string>> {
  const runs = await Promise.all(
    names.map(serviceOf).map(async (service) => {
      const { run } = await inspect(service, directory);
      return run ? service.environment(run) : {};
    }),
  );
  return Object.assign({}, ...runs) as Record<string, string>;
}
