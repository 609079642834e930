import { loadConfig } from './config.ts';
import { modelsOf } from './classify/config.ts';
import { preferredProviders, type Provider } from './classify/provider.ts';
import type { ProviderReport } from './doctor-advice.ts';
import { machineFacts, type Machine } from './doctor-machine.ts';
import { tryProviders } from './doctor-providers.ts';
import { formatBytes } from './units.ts';

/** What `sluice doctor` takes. */
export interface DoctorOptions {
  readonly json?: boolean;
  /** Number of the GPU. */
  readonly device?: number;
}

/** What was found: machine, providers, and which of the models of a configuration could not run here. */
export interface Doctor {
  readonly machine: Machine;
  readonly providers: readonly ProviderReport[];
  /** By model: the providers that the configuration names, none of which works. */
  readonly unable: Readonly<Record<string, readonly Provider[]>>;
}

/**
 * Looks at the machine and tries every execution provider; with a configuration, also says which of its models could not run.
 * Returns the text to print, or JSON, and the exit code: 1 when the processor cannot run a model, or a model of the
 * configuration could not run.
 */
export async function doctor(
  file: string | undefined,
  options: DoctorOptions,
): Promise<{ readonly text: string; readonly code: 0 | 1 }> {
  const wanted = file === undefined ? {} : providersOf(file);
  const providers = await tryProviders({ device: options.device ?? 0 });
  const works = new Set(providers.filter((report) => report.works).map(({ provider }) => provider));
  const found: Doctor = { machine: machineFacts(), providers, unable: unableOf(wanted, works) };
  const isWell = works.has('cpu') && Object.keys(found.unable).length === 0;
  return { text: options.json ? JSON.stringify(found) : doctorText(found), code: isWell ? 0 : 1 };
}

function providersOf(file: string): Record<string, readonly Provider[]> {
  return Object.fromEntries(
    modelsOf(loadConfig(file).classify)
      .filter(({ config: { tei, triton } }) => !tei && !triton)
      .map(({ name, config }) => [name, preferredProviders(config.execution_provider)]),
  );
}

/** Those of the models none of whose providers works. Pure. */
export function unableOf(
  wanted: Readonly<Record<string, readonly Provider[]>>,
  works: ReadonlySet<Provider>,
): Record<string, readonly Provider[]> {
  return Object.fromEntries(
    Object.entries(wanted).filter(([, providers]) => !providers.some((provider) => works.has(provider))),
  );
}

/** The findings for people. Pure. */
export function doctorText({ machine, providers, unable }: Doctor): string {
  const { processor, memory } = machine;
  const features = processor.features?.join(', ') ?? 'not known';
  const limit = memory.limit === undefined ? '' : `, the container's limit is ${formatBytes(memory.limit)}`;
  return [
    `Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}, ${machine.platform} ${machine.arch}` +
      (machine.glibc === undefined ? '' : `, glibc ${machine.glibc}`),
    `processor  ${processor.name}, ${round(processor.usable)} of ${processor.cores} cores usable; ${features || 'none of AVX2, AVX-512, VNNI'}`,
    `memory     ${formatBytes(memory.bytes)}${limit}`,
    `NVIDIA     ${machine.nvidiaDriver === undefined ? 'no driver' : `driver ${machine.nvidiaDriver}`}`,
    '',
    'Execution providers (classify.execution_provider):',
    ...providers.flatMap(providerLines),
    ...Object.entries(unable).map(
      ([name, wanted]) => `\nmodel ${name} could not run here: it names ${wanted.join(', ')}`,
    ),
  ].join('\n');
}

function providerLines(report: ProviderReport): string[] {
  const name = `  ${report.provider.padEnd(9)}`;
  if (report.works) {
    const lacking = report.precisions.includes('fp16') ? '' : ', not fp16';
    return [
      `${name}works: ${report.precisions.join(', ')}${lacking} (${report.ranOn}, ${report.seconds?.toFixed(2) ?? '?'} s to load)`,
    ];
  }
  return [
    `${name}cannot be used: ${report.problem}`,
    ...report.missing.map(({ library, from }) => `             ${library}: ${from}`),
    ...report.steps.map((step) => `           → ${step}`),
  ];
}

function round(cores: number): string {
  return String(Math.round(cores * 100) / 100);
}
