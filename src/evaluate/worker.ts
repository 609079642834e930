/** The thread entry of `sluice evaluate`: both sides, loaded as the pipeline loads them, score the same texts. */
import { workerData } from 'piscina';
import { createClassify, task, type Classify, type ClassifyConfig } from '../classify/index.ts';
import type { DecodedBatch } from '../types.ts';
import { rowThresholds } from './row-thresholds.ts';

/** What a thread is started with. */
export interface EvaluateWorkerData {
  /** The model, and what it is compared with, if anything. */
  readonly sides: readonly ClassifyConfig[];
}

/** Texts to score; entry i of each array belongs to row i. */
export interface EvaluateTask {
  readonly text: readonly string[];
  readonly language: readonly (string | null)[];
  readonly customer: readonly string[];
}

/** One side, as it was loaded. */
export interface LoadedSide {
  readonly model: string;
  readonly policy: string;
  readonly labels: readonly string[];
}

/** What one side says of a task's texts. Arrays of scores and thresholds are rows × labels, row-major. */
export interface EvaluateAnswer {
  readonly scores: Float32Array;
  readonly review: Float32Array;
  readonly block: Float32Array;
  readonly actions: Uint8Array;
  readonly language: readonly (string | null)[];
  readonly poison: number;
}

const { sides } = workerData as EvaluateWorkerData;
// Awaited here, because a thread that waits for tasks blocks its event loop; failures are answered by each task.
const loading = Promise.all(sides.map(createClassify));
await loading.catch(() => undefined);

/** Loads and checks all sides. */
export const load = task(async (): Promise<LoadedSide[]> => {
  return (await loading).map(({ model, labels, policy }) => ({
    model: model ?? 'drop',
    policy: policy ?? '',
    labels,
  }));
});

/** Scores texts with each side. */
export const score = task(
  async (texts: EvaluateTask): Promise<EvaluateAnswer[]> => {
    const answers: EvaluateAnswer[] = [];
    for (const [index, classify] of (await loading).entries())
      answers.push(await answerOf(classify, sides[index]!, texts));
    return answers;
  },
  (answers) =>
    answers.flatMap(({ scores, review, block, actions }) =>
      [scores, review, block, actions].map((view) => view.buffer),
    ),
);

async function answerOf(
  classify: Classify,
  config: ClassifyConfig,
  texts: EvaluateTask,
): Promise<EvaluateAnswer> {
  const verdicts = await classify(batchOf(texts));
  const { scores, actions, language, poison } = verdicts;
  return {
    scores: scores.slice(),
    ...rowThresholds(
      {
        customers: texts.customer,
        languages: language,
        models: verdicts.models ?? texts.text.map(() => verdicts.model),
      },
      { policies: config.policies, labels: classify.labels, models: classify.models },
    ),
    actions: actions.slice(),
    language,
    poison: poison.length,
  };
}

/** Labelled texts as the rows that the pipeline would have decoded. */
function batchOf({ text, language, customer }: EvaluateTask): DecodedBatch {
  const rows = text.length;
  const nothing = Array.from<null>({ length: rows }).fill(null);
  return {
    rows,
    index: Int32Array.from(text, (_, row) => row),
    contentId: text.map((_, row) => String(row)),
    customer: [...customer],
    createdAt: new Float64Array(rows),
    metadata: nothing,
    deadLetters: [],
    skipped: {},
    text: [...text],
    userId: nothing,
    contentType: nothing,
    language: [...language],
  };
}
