import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { OperationalError } from '../../src/errors.ts';
import { machineCpuSeconds } from '../harness/process-tree.ts';
import { digestOf, productVersions, thisMachine } from '../harness/machine.ts';
import { isWanted, type Measurement, type Sample, type Suite, type SuiteOptions } from '../harness/sample.ts';
import { openServers } from '../harness/servers.ts';
import { STAGES, type StageEntry } from '../stages/index.ts';

const CHILD = join(import.meta.dirname, '../stages/child.ts');

/** Every stage of Sluice alone. */
export async function openStage(options: SuiteOptions): Promise<Suite> {
  const wanted = Object.entries(STAGES).filter(([name]) => isWanted(name, options));
  const servers = await openServers(
    wanted.flatMap(([, { services = [] }]) => services.filter((name) => name === 'redis')),
  );
  return {
    name: 'stage',
    measurements: wanted.map(([name, entry]) => stageMeasurement(name, entry, servers.environment)),
    close: () => servers.close(),
  };
}

/** A stage or a limit as a measurement: each sample is a process of its own. */
export function stageMeasurement(
  name: string,
  { title, unit }: StageEntry,
  environment: Readonly<Record<string, string>>,
): Measurement {
  return {
    name,
    title,
    unit,
    parameters: { bytes: 300, customers: 50 },
    versions: { ...productVersions(), program: digestOf(['benchmarks/stages']) },
    sample: () => sampleStage(name, environment),
  };
}

/** One sample, taken by stages/child.ts. `seconds`: for how long it works, after its warm-up. */
export async function sampleStage(
  name: string,
  environment: Readonly<Record<string, string>>,
  seconds = 2,
): Promise<Sample> {
  const busy = machineCpuSeconds();
  const started = performance.now();
  const child = spawn(process.execPath, [CHILD, name, String(seconds)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0)
    throw new OperationalError(`expected stage ${name} to be measured, its process exited with ${code}`);
  const sample = JSON.parse(out.trim().split('\n').at(-1)!) as Sample;
  // Over the whole life of the process: what it used before it was measured counts as others' a little.
  const whole = (performance.now() - started) / 1000;
  const share = (machineCpuSeconds() - busy) / (whole * thisMachine().cores);
  return {
    ...sample,
    others: Math.max(0, share - sample.cpuSeconds / (sample.seconds * thisMachine().cores)),
  };
}
