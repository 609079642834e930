import { MisconfiguredError, messageOf } from '../errors.ts';
import { planBatches, type Batch } from './batching.ts';
import type { Classifier, Scores } from './classifier.ts';
import type { ClassifyConfig } from './config.ts';
import type { ModelFolder } from './model-folder.ts';
import { createSession, type Session } from './session.ts';
import { loadTokenizer, type TokenisedTexts } from './tokenizer.ts';

/**
 * Loads a model folder, warms it, and checks that it gives the scores that its manifest records. Equal texts of one
 * call are scored once. Throws MisconfiguredError, one line, when the model is damaged or does not do as recorded.
 */
export async function createModelClassifier(
  folder: ModelFolder,
  config: Pick<ClassifyConfig, 'batch_tokens' | 'sort_window' | 'execution_provider'>,
): Promise<Classifier> {
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  const session = await createSession(folder, { provider: config.execution_provider });
  const width = folder.labels.length;

  const scoreAlone = async (texts: readonly string[]): Promise<Scores> => {
    const started = performance.now();
    const { distinct, of } = deduplicate(texts);
    const tokenised = await tokenizer.encode(distinct);
    const tokenisedAt = performance.now();
    const scores = new Float32Array(distinct.length * width).fill(NaN);
    const reasons = new Map<number, string>();
    let tokens = 0;
    let padding = 0;
    for (const batch of planBatches(tokenised.lengths, {
      budget: config.batch_tokens,
      window: config.sort_window,
    })) {
      await runHalving(session, tokenised, batch, {
        scored: ({ rows, longest }, probabilities) => {
          tokens += rows.length * longest;
          for (let i = 0; i < rows.length; i++) {
            const row = rows[i]!;
            padding += longest - tokenised.lengths[row]!;
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
    return { ...spread(texts.length, of, scores, reasons, width), tokens, padding, seconds };
  };

  // The session's input tensors are reused, so calls take turns.
  let last: Promise<unknown> = Promise.resolve();
  const score = (texts: readonly string[]): Promise<Scores> => {
    const turn = last.then(() => scoreAlone(texts));
    last = turn.catch(() => undefined);
    return turn;
  };
  await checkScores(folder, score);
  return { labels: folder.labels, model: folder.id, score, close: () => session.close() };
}

/** Each text once, and for every given text the index of its only copy. */
function deduplicate(texts: readonly string[]): { distinct: readonly string[]; of: Int32Array | null } {
  const indices = new Map<string, number>();
  const of = new Int32Array(texts.length);
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i]!;
    let index = indices.get(text);
    if (index === undefined) indices.set(text, (index = indices.size));
    of[i] = index;
  }
  return indices.size === texts.length
    ? { distinct: texts, of: null }
    : { distinct: [...indices.keys()], of };
}

function spread(
  count: number,
  of: Int32Array | null,
  scores: Float32Array,
  reasons: ReadonlyMap<number, string>,
  width: number,
): Pick<Scores, 'scores' | 'poison'> {
  if (!of)
    return {
      scores,
      poison: [...reasons].map(([row, detail]) => ({ row, detail })).sort((a, b) => a.row - b.row),
    };
  const all = new Float32Array(count * width);
  const poison: { row: number; detail: string }[] = [];
  for (let row = 0; row < count; row++) {
    const index = of[row]!;
    all.set(scores.subarray(index * width, (index + 1) * width), row * width);
    const detail = reasons.get(index);
    if (detail !== undefined) poison.push({ row, detail });
  }
  return { scores: all, poison };
}

function firstNotFinite(values: Float32Array, start: number, count: number): number {
  for (let i = 0; i < count; i++) if (!Number.isFinite(values[start + i]!)) return i;
  return -1;
}

interface Outcome {
  scored(batch: Batch, probabilities: Float32Array): void;
  failed(row: number, detail: string): void;
}

/** Runs a batch; when the model throws, runs its halves, until the text that makes it throw is alone. */
async function runHalving(
  session: Session,
  texts: TokenisedTexts,
  batch: Batch,
  outcome: Outcome,
): Promise<void> {
  let probabilities: Float32Array;
  try {
    probabilities = await session.run(texts, batch);
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
      await runHalving(session, texts, { rows: half, longest }, outcome);
    }
    return;
  }
  outcome.scored(batch, probabilities);
}

/** Also the warm-up: the first run allocates the runtime's arena. */
async function checkScores(folder: ModelFolder, score: Classifier['score']): Promise<void> {
  const checks = folder.checks.length > 0 ? folder.checks : [{ text: 'warm-up', scores: {} }];
  const { scores, poison } = await score(checks.map((check) => check.text));
  if (poison.length > 0)
    throw new MisconfiguredError(
      `${folder.onnx}: expected scores for a plain text, got: ${poison[0]!.detail}`,
    );
  checks.forEach((check, row) => {
    for (const [label, expected] of Object.entries(check.scores)) {
      const got = scores[row * folder.labels.length + folder.labels.indexOf(label)]!;
      if (Math.abs(got - expected) <= folder.tolerance) continue;
      throw new MisconfiguredError(
        `${folder.onnx}: check ${row + 1} of sluice.yaml: expected ${label} ${expected} ± ${folder.tolerance}, got ${got.toFixed(3)}`,
      );
    }
  });
}
