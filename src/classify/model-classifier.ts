import { MisconfiguredError, messageOf } from '../errors.ts';
import { planBatches, type Batch } from './batching.ts';
import { checkScores } from './check-scores.ts';
import type { Classifier, Scores } from './classifier.ts';
import { distinctTexts, firstNotFinite, spreadScores } from './distinct.ts';
import type { ModelConfig } from './model-config.ts';
import { loadModel, type PreparedTexts } from './loaded-model.ts';
import type { ModelFolder } from './model-folder.ts';
import { usualBatchTokens } from './provider.ts';

/**
 * Loads a model folder, warms it, and checks that it gives the scores that its manifest records. Equal texts of one
 * call are scored once. Throws MisconfiguredError, one line, when the model is damaged or does not do as recorded.
 */
export async function createModelClassifier(
  folder: ModelFolder,
  config: Pick<ModelConfig, 'batch_tokens' | 'sort_window' | 'execution_provider' | 'device'>,
): Promise<Classifier> {
  const { execution_provider: providers, device } = config;
  const model = await loadModel(folder, { providers, device });
  const budget = config.batch_tokens ?? usualBatchTokens(model.provider);
  const width = folder.labels.length;

  const scoreAlone = async (texts: readonly string[]): Promise<Scores> => {
    const started = performance.now();
    const { distinct, of } = distinctTexts(texts);
    const prepared = await model.prepare(distinct);
    const tokenisedAt = performance.now();
    const scores = new Float32Array(distinct.length * width).fill(NaN);
    const reasons = new Map<number, string>();
    let tokens = 0;
    let padding = 0;
    for (const batch of planBatches(prepared.lengths, {
      budget,
      window: config.sort_window,
    })) {
      await runHalving(prepared, batch, {
        scored: ({ rows, longest }, probabilities) => {
          tokens += rows.length * longest;
          for (let i = 0; i < rows.length; i++) {
            const row = rows[i]!;
            padding += longest - prepared.lengths[row]!;
            const wrong = firstNotFinite(probabilities, i * width, width);
            if (wrong < 0) scores.set(probabilities.subarray(i * width, (i + 1) * width), row * width);
            else reasons.set(row, `the model gave no number for ${folder.labels[wrong]!}`);
          }
        },
        failed: (row, detail) => reasons.set(row, detail),
      });
    }
    const seconds = {
      tokenise: (tokenisedAt - started) / 1000,
      infer: (performance.now() - tokenisedAt) / 1000,
    };
    return { ...spreadScores(of, { scores, reasons }, width), tokens, padding, counts: {}, seconds };
  };

  // The model's input tensors are reused, so calls take turns.
  let last: Promise<unknown> = Promise.resolve();
  const score = (texts: readonly string[]): Promise<Scores> => {
    const turn = last.then(() => scoreAlone(texts));
    last = turn.catch(() => undefined);
    return turn;
  };
  await checkScores({ ...folder, file: folder.onnx }, score);
  const { labels, thresholds, languageThresholds, languages } = folder;
  return {
    labels,
    model: folder.id,
    thresholds,
    languageThresholds,
    languages,
    runsOn: model.provider,
    score,
    close: () => model.close(),
  };
}

interface Outcome {
  scored(batch: Batch, probabilities: Float32Array): void;
  failed(row: number, detail: string): void;
}

/** Runs a batch; when the model throws, runs its halves, until the text that makes it throw is alone. */
async function runHalving(texts: PreparedTexts, batch: Batch, outcome: Outcome): Promise<void> {
  let probabilities: Float32Array;
  try {
    probabilities = await texts.run(batch);
  } catch (error) {
    if (error instanceof MisconfiguredError) throw error;
    const { rows } = batch;
    if (rows.length === 1) {
      outcome.failed(rows[0]!, `the model failed: ${messageOf(error).split('\n')[0]!}`);
      return;
    }
    const middle = rows.length >> 1;
    for (const half of [rows.subarray(0, middle), rows.subarray(middle)]) {
      const longest = texts.lengths[half.at(-1)!]!;
      await runHalving(texts, { rows: half, longest }, outcome);
    }
    return;
  }
  outcome.scored(batch, probabilities);
}
