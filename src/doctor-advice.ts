import { gistOf, missingPart, type Provider, type RuntimeFacts } from './classify/provider.ts';
import type { Attempts, Opened } from './doctor-probe.ts';

/** What was found out about one provider. */
export interface ProviderReport {
  readonly provider: Provider;
  readonly works: boolean;
  /** Which precisions gave the right product, and the runtime's name of what computed it. */
  readonly precisions: readonly string[];
  readonly ranOn: string | undefined;
  /** Seconds to make a session and run it once. */
  readonly seconds: number | undefined;
  /** Why it does not work; undefined when it does. */
  readonly problem: string | undefined;
  /** Shared libraries that are not there, with what has them. */
  readonly missing: readonly { readonly library: string; readonly from: string }[];
  /** Commands or steps that help, in order. */
  readonly steps: readonly string[];
}

/** What became of trying a provider: the answers of the probe, and its last words if it had none. */
export interface Trial {
  readonly attempts: Attempts | undefined;
  /** Standard error of the probe, where native libraries say what failed. */
  readonly words: string;
  /** Libraries that the provider's own library asks for. */
  readonly opened: Opened;
}

/** A driver this new runs programs of CUDA 13; R525 those of CUDA 12 (NVIDIA, "CUDA Compatibility"). */
const DRIVERS: Readonly<Record<string, string>> = { 12: '525.60', 13: '580.65' };

/** Says what a trial means. Pure. */
export function reportOf(provider: Provider, trial: Trial, facts: RuntimeFacts): ProviderReport {
  const { attempts, words, opened } = trial;
  const { fp32, fp16 } = attempts ?? {};
  const precisions = [...(fp32?.works ? ['fp32'] : []), ...(fp16?.works ? ['fp16'] : [])];
  const ranOn = fp32?.ranOn ?? fp16?.ranOn;
  const missing = Object.entries(opened)
    .filter(([, problem]) => problem !== '')
    .map(([library]) => ({ library, from: packageOf(library, Object.keys(opened)) }));
  const base = { provider, precisions, ranOn, seconds: fp32?.seconds, missing };
  // A session whose operators all went to the processor is no proof of anything else.
  const isElsewhere = provider !== 'cpu' && ranOn === 'CPUExecutionProvider';
  if (precisions.length > 0 && !isElsewhere) return { ...base, works: true, problem: undefined, steps: [] };
  const absent = missingPart(provider, facts);
  const problem =
    absent ??
    (missing.length > 0
      ? `${missing.length} of ${Object.keys(opened).length} libraries that it asks for cannot be opened`
      : isElsewhere
        ? 'the model ran on the processor instead'
        : gistOf(fp32?.said ?? `the attempt ended without an answer: ${lastLine(words)}`));
  return {
    ...base,
    works: false,
    problem,
    steps: stepsFor(provider, facts, missing, { problem, isNotInstalled: absent !== undefined }),
  };
}

function lastLine(words: string): string {
  const lines = words
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.at(-1) ?? 'it said nothing';
}

/** What brings a library, in the words of NVIDIA's packages. `all` are the libraries of the same provider. Pure. */
export function packageOf(library: string, all: readonly string[]): string {
  const cuda = cudaMajor(all);
  if (library === 'libcuda.so.1')
    return `the NVIDIA driver of the machine${cuda ? `, ${DRIVERS[cuda] ?? 'the newest'} or later` : ''}; in a container: the NVIDIA Container Toolkit and \`--gpus all\``;
  if (library.startsWith('libcudnn')) return `cuDNN 9 for CUDA ${cuda ?? 12}`;
  if (/^libnv(infer|onnxparser)/.test(library)) return 'TensorRT 10';
  if (/^lib(cublas|cublasLt|cudart|curand|cufft|nvrtc|nvJitLink)\./.test(library))
    return `CUDA ${cuda ?? 12}`;
  return 'a package of the system';
}

/** The major version of CUDA by the number in libcudart or libcublas; curand and cufft count for themselves. Pure. */
export function cudaMajor(libraries: readonly string[]): string | undefined {
  for (const library of libraries) {
    const major = /^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)$/.exec(library)?.[1];
    if (major !== undefined) return major;
  }
  return undefined;
}

/** NVIDIA's packages have the minor version in their names; these are ones that exist. */
const MINORS: Readonly<Record<string, string>> = { 12: '12-9', 13: '13-0' };

function stepsFor(
  provider: Provider,
  { platform, arch, install }: RuntimeFacts,
  missing: ProviderReport['missing'],
  { problem, isNotInstalled }: { readonly problem: string; readonly isNotInstalled: boolean },
): string[] {
  if (provider === 'cuda' || provider === 'tensorrt') {
    if (platform !== 'linux' || arch !== 'x64') return [];
    if (isNotInstalled) return [install, 'then `sluice doctor` again; docs/gpu.md'];
    const libraries = missing.map(({ library }) => library);
    const cuda = cudaMajor(libraries) ?? '12';
    const packages = [
      ...(libraries.some((name) => /^lib(cublas|cublasLt|cudart|curand|cufft)\./.test(name))
        ? [`cuda-libraries-${MINORS[cuda] ?? `${cuda}-0`}`]
        : []),
      ...(libraries.some((name) => name.startsWith('libcudnn')) ? [`cudnn9-cuda-${cuda}`] : []),
      ...(libraries.some((name) => /^libnv(infer|onnxparser)/.test(name))
        ? ['libnvinfer10 libnvinfer-plugin10 libnvonnxparsers10']
        : []),
    ];
    return [
      ...(packages.length > 0
        ? [`apt-get install ${packages.join(' ')}   # NVIDIA's repository; other ways in docs/gpu.md`]
        : []),
      ...missing
        .filter(({ library }) => library === 'libcuda.so.1')
        .map(({ from }) => `libcuda.so.1 comes with ${from}`),
      ...(problem.includes('driver version is insufficient')
        ? ['install a newer NVIDIA driver: R525 or later for CUDA 12, R580 or later for CUDA 13']
        : []),
    ];
  }
  if (provider === 'webgpu' && platform === 'linux' && !isNotInstalled)
    return [
      'apt-get install libvulkan1, and the Vulkan driver of the graphics card (mesa-vulkan-drivers, NVIDIA)',
    ];
  return [];
}
