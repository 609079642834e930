import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';

/** Where ONNX Runtime can run a model, by the names that it uses itself. */
export const PROVIDERS = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'dml', 'coreml'] as const;

/** One of {@link PROVIDERS}. */
export type Provider = (typeof PROVIDERS)[number];

/** Providers of which a machine may have several devices; only for these does the Node binding pass a device on. */
export const WITH_DEVICES: readonly Provider[] = ['cuda', 'tensorrt', 'dml'];

/**
 * Providers that crash the process when two of its threads use them: one device context serves all sessions, without a lock
 * (docs/decisions/017-providers.md).
 */
const ONE_THREAD: readonly Provider[] = ['webgpu'];

/** Whether only one thread of a process may use one of the providers. */
export function isForOneThread(providers: readonly Provider[]): boolean {
  return providers.some((provider) => ONE_THREAD.includes(provider));
}

/** Tokens of one run: beyond these a core gets no faster, and a GPU is not busy with fewer (docs/decisions/017-providers.md). */
const BATCH_TOKENS = { core: 1024, gpu: 16_384 };

/** Where the post-install step of onnxruntime-node says that CUDA and TensorRT are for Linux on x64 alone. */
const CUDA_LIBRARY: Partial<Record<Provider, string>> = {
  cuda: 'libonnxruntime_providers_cuda.so',
  tensorrt: 'libonnxruntime_providers_tensorrt.so',
};

/** Whether a provider runs on a device beside the processor, which a few large runs keep busier than many small ones. */
export function isGpu(provider: Provider): boolean {
  return provider !== 'cpu';
}

/** Most tokens in one run where the configuration does not say. */
export function usualBatchTokens(provider: Provider): number {
  return isGpu(provider) ? BATCH_TOKENS.gpu : BATCH_TOKENS.core;
}

/** The providers that a configuration names, in order of preference. */
export function preferredProviders(configured: Provider | readonly Provider[]): readonly Provider[] {
  return typeof configured === 'string' ? [configured] : configured;
}

/**
 * A provider as a session takes it. What TensorRT cannot do goes to CUDA, not to the processor; what the last one cannot do always
 * goes to the processor.
 */
export function sessionProviders(
  provider: Provider,
  device: number,
): InferenceSession.ExecutionProviderConfig[] {
  const names = provider === 'tensorrt' ? (['tensorrt', 'cuda'] as const) : ([provider] as const);
  return names.map((name) => (WITH_DEVICES.includes(name) ? { name, deviceId: device } : name));
}

/** What is known of the installed runtime, without loading it. */
export interface RuntimeFacts {
  readonly platform: string;
  readonly arch: string;
  /** Providers that the build knows, as `listSupportedBackends` gives them. */
  readonly backends: readonly string[];
  /** The command that fetches what its package is too small for; see docs/gpu.md. */
  readonly install: string;
  /** Folder of its native libraries, and whether a file is there. */
  readonly folder: string;
  readonly has: (file: string) => boolean;
}

/** The facts of this process's runtime. */
export function runtimeFacts(backends: readonly string[]): RuntimeFacts {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const folder = join(root, 'bin/napi-v6', process.platform, process.arch);
  const has = (file: string) => existsSync(join(folder, file));
  const install = `ONNXRUNTIME_NODE_INSTALL=cuda12 node ${join(root, 'script/install.js')}`;
  return { platform: process.platform, arch: process.arch, backends, folder, install, has };
}

const ELSEWHERE: Readonly<Record<Provider, string>> = {
  cpu: 'everywhere',
  cuda: 'for Linux on x64',
  tensorrt: 'for Linux on x64',
  webgpu: 'for Linux and Windows on x64 and for macOS',
  dml: 'for Windows',
  coreml: 'for macOS',
};

/** Why a provider cannot be used, or undefined when nothing about the runtime says why. Pure. */
export function missingPart(provider: Provider, facts: RuntimeFacts): string | undefined {
  const { platform, arch, backends } = facts;
  if (!backends.includes(provider))
    return `onnxruntime-node for ${platform} on ${arch} has ${backends.join(', ')}; ${provider} comes ${ELSEWHERE[provider]}`;
  const library = CUDA_LIBRARY[provider];
  if (library !== undefined && !facts.has(library)) return `${library} is not in ${facts.folder}`;
  return undefined;
}

/** The one line for a session that could not be made with a provider: what the runtime said, what is missing, the way out. Pure. */
export function providerProblem(provider: Provider, said: string, facts: RuntimeFacts): string {
  const missing = missingPart(provider, facts);
  const why = missing ?? gistOf(said);
  // Only what can be fetched for this platform is missing although the runtime knows it.
  const way =
    missing !== undefined && facts.backends.includes(provider) ? `: ${facts.install} fetches it` : '';
  return `execution_provider ${provider}: ${why}${way}; \`sluice doctor\` says what this machine can use`;
}

/** What the runtime said without paths of its own sources, signatures, and the name of the host. Pure. */
export function gistOf(said: string): string {
  const failure = /(?:CUDA|CUDNN|CUBLAS) failure \d+: .*?(?= ;|$)/.exec(said)?.[0];
  return (
    failure ??
    said
      .split('\n')[0]!
      .replace(/^\/onnxruntime_src\S+ .*?was false\. /, '')
      .trim()
  );
}

/** Whether the runtime speaks of a provider that is not there, not of the model: so it says in all its languages. Pure. */
export function isProviderProblem(said: string): boolean {
  return /AppendExecutionProvider|no available backend|backend not found|WebGPU adapter|WebGpuContext|CUDA failure|no CUDA-capable|cudaGetDevice|CUDNN failure|CUBLAS failure|libcud|TensorRT EP|DML|CoreML/i.test(
    said,
  );
}
