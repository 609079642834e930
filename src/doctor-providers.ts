import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PROVIDERS, runtimeFacts, type Provider, type RuntimeFacts } from './classify/provider.ts';
import { reportOf, type ProviderReport, type Trial } from './doctor-advice.ts';
import { neededLibraries } from './doctor-elf.ts';
import type { Attempts, Opened } from './doctor-probe.ts';
import { messageOf } from './errors.ts';

const PROBE = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './doctor-probe.ts' : './doctor-probe.js', import.meta.url),
);
/** CUDA may compile for minutes when a card is newer than the library. */
const PROBE_MILLIS = 180_000;
/** Libraries of the C and C++ runtimes, which Node needs itself. */
const EVERYWHERE = /^(libdl|librt|libpthread|libstdc\+\+|libm|libgcc_s|libc|ld-linux[\w-]*)\.so/;
/** What the CUDA provider opens by name only when it needs it. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  12: ['libcudnn.so.9', 'libcufft.so.11'],
  13: ['libcudnn.so.9', 'libcufft.so.12'],
};
const LIBRARIES: Partial<Record<Provider, string>> = {
  cuda: 'libonnxruntime_providers_cuda.so',
  tensorrt: 'libonnxruntime_providers_tensorrt.so',
};

/**
 * Tries every provider, or those named, on a tiny model, each in a process of its own: a native library that crashes ends only
 * that. Nothing is left running.
 */
export async function tryProviders(options: {
  readonly device: number;
  readonly providers?: readonly Provider[];
}): Promise<ProviderReport[]> {
  const { listSupportedBackends } = await import('onnxruntime-node');
  const facts = runtimeFacts(listSupportedBackends().map(({ name }) => name));
  const reports: ProviderReport[] = [];
  // One after the other: two of them on one card would disturb each other.
  for (const provider of options.providers ?? PROVIDERS)
    reports.push(reportOf(provider, await trial(provider, options.device, facts), facts));
  return reports;
}

async function trial(provider: Provider, device: number, facts: RuntimeFacts): Promise<Trial> {
  if (!facts.backends.includes(provider)) return { attempts: undefined, words: '', opened: {} };
  const { answer, words } = await probe(['try', provider, String(device)]);
  const libraries = librariesOf(provider, facts);
  const opened = libraries.length > 0 ? (await probe(['open', ...libraries])).answer : undefined;
  return { attempts: answer as Attempts | undefined, words, opened: (opened ?? {}) as Opened };
}

/** What a provider's own library asks for, when that is installed; none for those that are built in. */
function librariesOf(provider: Provider, { folder, has }: RuntimeFacts): string[] {
  const own = LIBRARIES[provider];
  if (own === undefined || !has(own)) return [];
  const needed = neededLibraries(`${folder}/${own}`).filter((name) => !EVERYWHERE.test(name));
  const cuda = needed.map((name) => /^libcudart\.so\.(\d+)$/.exec(name)?.[1]).find(Boolean);
  return [...new Set([...needed, ...(LATER[cuda ?? ''] ?? [])])];
}

function probe(args: readonly string[]): Promise<{ answer: unknown; words: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [PROBE, ...args],
      { timeout: PROBE_MILLIS, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 ** 2 },
      (error, stdout, stderr) => {
        const line = stdout.trim().split('\n').at(-1) ?? '';
        // A crash leaves no line, and its signal is all that it says.
        const answer = line.startsWith('{') ? (JSON.parse(line) as unknown) : undefined;
        const words =
          error && !answer ? `${stderr}\n${error.signal ?? messageOf(error).split('\n')[0]!}` : stderr;
        resolve({ answer, words });
      },
    );
  });
}
