import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationalError, messageOf } from '../../src/errors.ts';
import { tail } from './execute.ts';
import { withLock } from './lock.ts';
import { choosePorts, becomesFree } from './ports.ts';
import { endProcess, isRunning, startDetached, type DetachedProcess, type EndOptions } from './process.ts';
import type { Run, Service } from './service.ts';
import { readState, removeState, serviceDirectory, writeState, type ServiceState } from './state.ts';

const HEALTH_LIMIT_MS = 60_000;
const HEALTH_POLL_MS = 50;

/** What a service is doing: `stopped` on purpose or `dead` by itself, both with data kept; `down` has none. */
export type ServiceCondition = 'healthy' | 'unhealthy' | 'stopped' | 'dead' | 'down';

/**
 * Starts a service unless it runs, and resolves when it answers. Data and ports of an earlier start are kept. Resolves with
 * whether this call started it. Throws OperationalError with the end of its log when it does not come up.
 */
export function bringUp(service: Service, root: string): Promise<boolean> {
  return locked(service, root, async () => {
    const state = await readState(root, service.name);
    if (state?.process && isRunning(state.process)) {
      await untilHealthy(service, runOf(service, root, state), state.process);
      return false;
    }
    const installed = await service.install();
    const ports = state?.ports ?? (await choosePorts(service.ports));
    for (const [name, port] of Object.entries(ports)) {
      if (await becomesFree(port)) continue;
      throw new OperationalError(
        `${service.name}: expected its port ${port} (${name}) to be free, another process listens on it; ` +
          `\`npm run services -- down ${service.name}\` gives it other ports and removes its data`,
      );
    }
    const run = { directory: serviceDirectory(root, service.name), ports };
    await mkdir(run.directory, { recursive: true });
    await service.endRest?.(run);
    await service.prepare(run, installed);
    const child = await startDetached(service.command(run, installed), run.directory, logOf(run));
    await writeState(root, service.name, { ports, process: child });
    await untilHealthy(service, run, child);
    return true;
  });
}

/** Ends the process of a service and keeps its data and ports. A service that does not run stays as it is. */
export function halt(service: Service, root: string, options: EndOptions = {}): Promise<void> {
  return locked(service, root, async () => {
    const state = await readState(root, service.name);
    if (!state?.process) return;
    await end(service, runOf(service, root, state), state.process, options);
    await writeState(root, service.name, { ...state, process: null });
  });
}

/** Ends the process of a service and removes its data. Resolves with whether there was something to remove. */
export function takeDown(service: Service, root: string): Promise<boolean> {
  return locked(service, root, async () => {
    const state = await readState(root, service.name);
    if (state?.process) await end(service, runOf(service, root, state), state.process);
    await removeState(root, service.name);
    return state !== undefined;
  });
}

/** What a service is doing now. */
export async function inspect(
  service: Service,
  root: string,
): Promise<{ readonly condition: ServiceCondition; readonly run?: Run }> {
  const state = await readState(root, service.name);
  if (!state) return { condition: 'down' };
  const run = runOf(service, root, state);
  if (!state.process) return { condition: 'stopped', run };
  if (!isRunning(state.process)) return { condition: 'dead', run };
  return { condition: (await answers(service, run)) ? 'healthy' : 'unhealthy', run };
}

async function end(
  service: Service,
  run: Run,
  child: DetachedProcess,
  options: EndOptions = {},
): Promise<void> {
  await endProcess(child, { signal: service.endSignal ?? 'SIGTERM', ...options });
  await service.endRest?.(run);
}

function runOf(service: Service, root: string, { ports }: ServiceState): Run {
  return { directory: serviceDirectory(root, service.name), ports };
}

function logOf({ directory }: Run): string {
  return join(directory, 'output.log');
}

/** Two processes never start, stop or remove the same service at the same time. */
function locked<T>(service: Service, root: string, work: () => Promise<T>): Promise<T> {
  return withLock(join(root, `${service.name}.lock`), work);
}

function answers(service: Service, run: Run): Promise<boolean> {
  return service.healthy(run).catch(() => false);
}

async function untilHealthy(service: Service, run: Run, child: DetachedProcess): Promise<void> {
  const deadline = Date.now() + HEALTH_LIMIT_MS;
  while (!(await answers(service, run))) {
    const ended = !isRunning(child);
    if (ended || Date.now() > deadline) {
      const log = await readFile(logOf(run), 'utf8').catch(messageOf);
      throw new OperationalError(
        `${service.name}: expected an answer within ${HEALTH_LIMIT_MS / 1000} s, ` +
          `${ended ? 'its process ended' : `process ${child.pid} gives none`}; the end of ${logOf(run)}:\n${tail(log)}`,
      );
    }
    await sleep(HEALTH_POLL_MS);
  }
}
