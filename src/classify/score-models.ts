import { isOperational, messageOf, UnavailableError } from '../errors.ts';
import type { ModelWork, VerdictBatch } from '../types.ts';
import { rowsOf, type Assignment } from './assign-rows.ts';
import type { Scores } from './classifier.ts';
import type { OpenedModel } from './open-models.ts';

/** What one model says of the rows that it took. */
export interface ModelScores {
  readonly model: OpenedModel;
  /** Rows of the batch, growing; null: all. */
  readonly rows: Int32Array | null;
  /** Taken rows × the model's labels; its `poison` counts taken rows. */
  readonly scored: Scores;
  /** Why a shadow model could not score them. */
  readonly failure?: string;
}

/**
 * Scores each row by the models that it was assigned to. Models that wait for a server are asked side by side, those of this
 * thread run one after the other meanwhile. `without` names rows that no model is given. A shadow model that cannot work now is
 * left out, since it decides nothing, and so it is for a while after its server did not answer; any other failure rejects.
 */
export async function scoreModels(
  models: readonly OpenedModel[],
  texts: readonly string[],
  assignment: Assignment,
  without?: (row: number) => boolean,
): Promise<ModelScores[]> {
  const asked = models.map((model, index) => {
    const taken = rowsOf(assignment, index);
    return { model, rows: without ? leaveOut(taken, texts.length, without) : taken };
  });
  const remote = asked.filter(({ model }) => model.isRemote).map((each) => ask(each, texts));
  // Nobody waits for them yet: a rejection must not be taken for one that nobody handles.
  const answers = Promise.all(remote);
  answers.catch(() => undefined);
  const scored: ModelScores[] = [];
  for (const each of asked) if (!each.model.isRemote) scored.push(await ask(each, texts));
  scored.push(...(await answers));
  return asked.map(({ model }) => scored.find((each) => each.model === model)!);
}

function leaveOut(rows: Int32Array | null, count: number, without: (row: number) => boolean): Int32Array {
  return (rows ?? Int32Array.from({ length: count }, (_, row) => row)).filter((row) => !without(row));
}

async function ask(
  { model, rows }: Pick<ModelScores, 'model' | 'rows'>,
  texts: readonly string[],
): Promise<ModelScores> {
  const given = rows ? Array.from(rows, (row) => texts[row]!) : texts;
  // Duplicate caches and remote models need no empty calls.
  if (given.length === 0) return { model, rows, scored: NOTHING };
  const leftOut = (failure: string) => ({ model, rows: new Int32Array(0), scored: NOTHING, failure });
  const pause = pauses.get(model);
  if (pause && performance.now() < pause.until) return leftOut(pause.failure);
  try {
    const scored = await model.classifier.score(given);
    pauses.delete(model);
    return { model, rows, scored };
  } catch (error) {
    if (model.role === 'decide' || !isOperational(error)) throw error;
    const failure = messageOf(error);
    if (error instanceof UnavailableError) {
      const millis = Math.min(LONGEST_PAUSE, pause ? 2 * pause.millis : FIRST_PAUSE);
      pauses.set(model, { failure, millis, until: performance.now() + millis });
    }
    return leftOut(failure);
  }
}

/**
 * Shadow models whose servers did not answer. Each question costs the batch some seconds of waiting, so they are asked again
 * only after a while, longer each time.
 */
const pauses = new WeakMap<OpenedModel, { failure: string; millis: number; until: number }>();
const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 300_000;

const NOTHING: Scores = {
  scores: new Float32Array(0),
  poison: [],
  tokens: 0,
  padding: 0,
  counts: {},
  seconds: { tokenise: 0, infer: 0 },
};

/**
 * Scores of all models that decide as one table, rows × `labels`: NaN where a row was not scored for a label. Of the models of a
 * row no two have a label in common, so nothing is written twice.
 */
export function joinScores(
  all: readonly ModelScores[],
  rows: number,
  labels: readonly string[],
): Float32Array {
  const [only] = all;
  if (all.length === 1 && only && only.rows === null) return only.scored.scores;
  const joined = new Float32Array(rows * labels.length).fill(NaN);
  for (const each of all) copyScores(each, joined, labels);
  return joined;
}

/** Writes a model's scores into a table of rows × labels. */
export function copyScores(
  { model, rows, scored }: ModelScores,
  table: Float32Array,
  labels: readonly string[],
): void {
  const own = model.labels.length;
  const columns = model.labels.map((label) => labels.indexOf(label));
  const count = scored.scores.length / own;
  for (let i = 0; i < count; i++) {
    const start = (rows ? rows[i]! : i) * labels.length;
    for (let label = 0; label < own; label++)
      table[start + columns[label]!] = scored.scores[i * own + label]!;
  }
}

/** Rows that made a deciding model fail, each once. */
export function poisonOf(all: readonly ModelScores[]): VerdictBatch['poison'] {
  const found = new Map<number, string>();
  for (const { rows, scored } of all)
    for (const { row, detail } of scored.poison) {
      const place = rows ? rows[row]! : row;
      if (!found.has(place)) found.set(place, detail);
    }
  return [...found].map(([row, detail]) => ({ row, detail })).sort((a, b) => a.row - b.row);
}

/** What a model did, for metrics. */
export function workOf(
  { model, rows, scored, failure }: ModelScores,
  count: number,
  disagreements: ModelWork['disagreements'] = {},
): ModelWork {
  const { tokens, padding, counts, seconds, poison } = scored;
  return {
    name: model.name,
    model: model.id,
    role: model.role,
    texts: rows ? rows.length : count,
    poison: poison.length,
    tokens,
    padding,
    counts,
    seconds,
    disagreements,
    ...(failure === undefined ? {} : { failure }),
  };
}
