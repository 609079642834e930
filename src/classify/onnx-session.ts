import type * as Onnx from 'onnxruntime-node';
import { MisconfiguredError, messageOf } from '../errors.ts';
import {
  isProviderProblem,
  missingPart,
  preferredProviders,
  providerProblem,
  runtimeFacts,
  sessionProviders,
  type Provider,
} from './provider.ts';

/** A session of the runtime, and the provider that runs it. */
export interface OnnxSession {
  readonly session: Onnx.InferenceSession;
  readonly provider: Provider;
  /** The runtime's own constructor of tensors. */
  readonly Tensor: typeof Onnx.Tensor;
}

/** Where a model may run. */
export interface OnnxOptions {
  /** One provider, or several in order of preference: the first one that works is taken. */
  readonly providers: Provider | readonly Provider[];
  /** Number of the device, of providers that have several. */
  readonly device: number;
}

/**
 * Loads an ONNX file with one thread of its own. A provider that does not work is passed over only for the next one of the
 * list; the processor is never taken unless it is named. Throws MisconfiguredError, one line, when the file is damaged, or no
 * provider works: then with the reason for each.
 */
export async function createOnnxSession(
  file: string,
  { providers, device }: OnnxOptions,
): Promise<OnnxSession> {
  // Imported here, so that a process without a model never loads the native library.
  const ort = await import('onnxruntime-node');
  // The runtime writes to standard error itself, between the log lines; its errors come as exceptions anyway.
  ort.env.logLevel = 'fatal';
  const facts = runtimeFacts(ort.listSupportedBackends().map(({ name }) => name));
  const problems: string[] = [];
  for (const provider of preferredProviders(providers)) {
    // The runtime would only warn of a provider that it does not know, and take the processor.
    if (missingPart(provider, facts) !== undefined) {
      problems.push(providerProblem(provider, '', facts));
      continue;
    }
    try {
      const session = await ort.InferenceSession.create(file, {
        executionProviders: sessionProviders(provider, device),
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        graphOptimizationLevel: 'all',
        logSeverityLevel: 4,
        extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
      });
      return { session, provider, Tensor: ort.Tensor };
    } catch (error) {
      const said = messageOf(error).split('\n')[0]!;
      if (provider === 'cpu' || !isProviderProblem(said))
        throw new MisconfiguredError(
          `${file}: expected an ONNX model${provider === 'cpu' ? '' : ` that ${provider} can run`}, got ${said}${wayOut(said)}`,
        );
      problems.push(providerProblem(provider, said, facts));
    }
  }
  throw new MisconfiguredError(problems.join('; '));
}

/** Models that read texts name a locale for lower case; that of skl2onnx is missing in most containers. */
function wayOut(said: string): string {
  return said.includes('Failed to construct locale')
    ? "; install the locale, or export the model with options={id(vectorizer): {'locale': 'C.UTF-8'}}"
    : '';
}
