import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { OperationalError } from '../../src/errors.ts';
import { COMPARISONS } from '../classify/index.ts';
import { digestOf, productVersions, thisMachine } from '../harness/machine.ts';
import { machineCpuSeconds } from '../harness/process-tree.ts';
import { isWanted, type Sample, type Suite, type SuiteOptions } from '../harness/sample.ts';
import { miniLm } from '../models/minilm.ts';

const CHILD = join(import.meta.dirname, '../classify/child.ts');

/** The classify stage against what bounds it, as ratios within one process. */
export async function openClassify(options: SuiteOptions): Promise<Suite> {
  const wanted = Object.entries(COMPARISONS).filter(([name]) => isWanted(name, options));
  // Made beforehand, not while something is measured.
  await miniLm();
  return {
    name: 'classify',
    measurements: wanted.map(([name, { title, unit }]) => ({
      name,
      title,
      unit,
      parameters: { texts: options.texts ?? 'generated' },
      versions: { ...productVersions(), program: digestOf(['benchmarks/classify', 'benchmarks/stages']) },
      sample: () => sampleComparison(name, options.texts),
    })),
    close: () => Promise.resolve(),
  };
}

async function sampleComparison(name: string, texts: string | undefined): Promise<Sample> {
  const busy = machineCpuSeconds();
  const started = performance.now();
  const child = spawn(process.execPath, [CHILD, name, ...(texts === undefined ? [] : [texts])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0)
    throw new OperationalError(`expected ${name} to be compared, its process exited with ${code}`);
  const sample = JSON.parse(out.trim().split('\n').at(-1)!) as Sample;
  // Figures are CPU times or ratios of neighbours in time; still, a busy machine is told.
  const { cores } = thisMachine();
  const share = (machineCpuSeconds() - busy) / (((performance.now() - started) / 1000) * cores);
  return { ...sample, others: Math.max(0, share - sample.cpuSeconds / (sample.seconds * cores)) };
}
