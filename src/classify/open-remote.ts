import type { Classifier } from './classifier.ts';
import { createRemoteClassifier } from './remote-classifier.ts';
import type { TeiConfig, TritonConfig } from './remote-config.ts';
import { openTei } from './tei.ts';
import { openTriton } from './triton.ts';

/** Milliseconds beyond the time limit of a request that a call waits for an answer, so that it can be asked twice. */
const ONCE_MORE = 1_000;
/** The part of a worker's time limit that a call may take: the limit itself is for what never returns. */
const SHARE = 2 / 3;

/**
 * Opens a model on a server and scores a plain text. A call waits for the server while it answers, at most for two thirds of
 * `timeLimit` (milliseconds). Throws MisconfiguredError, one line, when it cannot work; UnavailableError when nobody answers.
 */
export async function openRemote(
  config: { readonly tei: TeiConfig } | { readonly triton: TritonConfig },
  { timeLimit = Infinity }: { readonly timeLimit?: number } = {},
): Promise<Classifier> {
  const limit = timeLimit * SHARE;
  const { time_limit: perRequest } = 'tei' in config ? config.tei : config.triton;
  const patience = Math.ceil(Math.min(perRequest + ONCE_MORE, limit));
  const [connection, model] =
    'tei' in config
      ? [config.tei, await openTei(config.tei, { patience })]
      : [config.triton, await openTriton(config.triton, { patience })];
  try {
    return await createRemoteClassifier(model, connection, { patience, limit });
  } catch (error) {
    await model.close();
    throw error;
  }
}
