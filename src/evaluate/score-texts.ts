import { createPool, workerCount, type ClassifyConfig } from '../classify/index.ts';
import { mapBounded } from '../concurrency.ts';
import type { LabelledData } from './labelled-data.ts';
import type { LabelVerdicts, Verdicts } from './verdicts.ts';
import type { EvaluateAnswer, EvaluateTask, EvaluateWorkerData, LoadedSide } from './worker.ts';

/** Rows that one task scores: as many as the classifier sorts by length together. */
const TASK_ROWS = 1024;

const FILENAME = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** Loads the sides on worker threads, then runs `act` with a function that scores data with all of them; ends the threads. */
export async function withSides<Result>(
  sides: readonly ClassifyConfig[],
  act: (loaded: readonly LoadedSide[], score: ScoreTexts) => Promise<Result>,
): Promise<Result> {
  const workers = workerCount(sides[0]!);
  const pool = createPool({
    filename: FILENAME,
    workers,
    workerData: { sides } satisfies EvaluateWorkerData,
    // A task loads, and scores with, all of them.
    timeLimit: sides.reduce((sum, side) => sum + side.time_limit, 0),
  });
  try {
    // A task for each thread: ending one that still loads its model would abort the process.
    const loading = Array.from({ length: workers }, () => pool.run<LoadedSide[]>('load', null));
    const [loaded] = await Promise.all(loading);
    const score: ScoreTexts = async (data, onProgress) => {
      const starts = Array.from(
        { length: Math.ceil(data.rows / TASK_ROWS) },
        (_, index) => index * TASK_ROWS,
      );
      let done = 0;
      // Two for each thread, not all of them: after a failure those that wait would have to fail one by one.
      const answers = await mapBounded(starts, 2 * workers, async (start) => {
        const answer = await pool.run<EvaluateAnswer[]>('score', taskOf(data, start));
        done = Math.min(data.rows, done + TASK_ROWS);
        onProgress?.(done);
        return answer;
      });
      return loaded!.map((side, index) =>
        joined(
          side,
          answers.map((answer) => answer[index]!),
          data.rows,
        ),
      );
    };
    return await act(loaded!, score);
  } finally {
    await pool.close();
  }
}

/** Scores all rows with each side, on all threads. `onProgress` hears of the rows that are done. */
export type ScoreTexts = (data: LabelledData, onProgress?: (rows: number) => void) => Promise<Verdicts[]>;

function taskOf({ text, language, customer }: LabelledData, start: number): EvaluateTask {
  const end = start + TASK_ROWS;
  return {
    text: text.slice(start, end),
    language: language.slice(start, end),
    customer: customer.slice(start, end),
  };
}

function joined(
  { model, policy, labels }: LoadedSide,
  answers: readonly EvaluateAnswer[],
  rows: number,
): Verdicts {
  const columns = labels.map((label, index): [string, LabelVerdicts] => [
    label,
    {
      scores: column(answers, 'scores', index, labels.length, rows),
      review: column(answers, 'review', index, labels.length, rows),
      block: column(answers, 'block', index, labels.length, rows),
    },
  ]);
  const actions = new Uint8Array(rows);
  let at = 0;
  for (const answer of answers) {
    actions.set(answer.actions, at);
    at += answer.actions.length;
  }
  return {
    model,
    policy,
    labels: new Map(columns),
    actions,
    language: answers.flatMap(({ language }) => language),
    poison: answers.reduce((sum, { poison }) => sum + poison, 0),
  };
}

function column(
  answers: readonly EvaluateAnswer[],
  name: 'scores' | 'review' | 'block',
  index: number,
  width: number,
  rows: number,
): Float32Array {
  const values = new Float32Array(rows);
  let row = 0;
  for (const { [name]: matrix } of answers)
    for (let cell = index; cell < matrix.length; cell += width) values[row++] = matrix[cell]!;
  return values;
}
