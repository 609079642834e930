import { createHash } from 'node:crypto';
import type { Band } from '../classify/band.ts';
import { createCascade } from '../classify/cascade.ts';
import type { Classifier } from '../classify/classifier.ts';
import { resolveModel } from '../classify/config.ts';
import { modelConfig } from '../classify/model-config.ts';
import { openModel } from '../classify/open-model.ts';
import { readLabelledData, type LabelledDataOptions } from '../evaluate/labelled-data.ts';
import { fitBand } from './fit-band.ts';
import { measureLoss, type CascadeLoss } from './loss.ts';
import { createStages, pickRows, type Stages } from './stages.ts';

/** Texts of one call, as in the pipeline. */
const TEXTS_PER_CALL = 1024;

/** What `sluice cascade fit` is asked. */
export interface FitOptions extends Omit<LabelledDataOptions, 'labels'> {
  /** Model folders, or names of bundled ones. */
  readonly first: string;
  readonly second: string;
  /** Largest loss of any measure, 0..1; of texts that nobody labelled, the largest share of other actions. */
  readonly maxLoss: number;
  readonly onProgress?: (stage: 'first' | 'second' | 'cascade', done: number, of: number) => void;
}

/** What `sluice cascade fit` found. Rates are texts a second of CPU time. */
export interface FitReport {
  readonly first: string;
  readonly second: string;
  /** The first stage as it was named. */
  readonly firstModel: string;
  readonly texts: number;
  readonly maxLoss: number;
  readonly band: Band;
  /** On the two parts of the texts that the band was fitted to, and on one that it was not. */
  readonly fitted: readonly [CascadeLoss, CascadeLoss];
  readonly heldOut: CascadeLoss;
  readonly rates: { readonly first: number; readonly second: number; readonly cascade: number };
}

/**
 * Fits the band of a cascade of two models on labelled texts: two thirds of them by hash, and says what it costs on the last
 * third. Everything is scored on this thread. Throws MisconfiguredError or InputError, one line.
 */
export async function fitCascade(options: FitOptions): Promise<FitReport> {
  const [first, second] = await open([options.first, options.second]);
  try {
    const data = await readLabelledData({ ...options, labels: options.unlabelled ? [] : second.labels });
    const { text } = data;
    const ofFirst = await scoreAll(first, text, (done) => options.onProgress?.('first', done, text.length));
    const ofSecond = await scoreAll(second, text, (done) =>
      options.onProgress?.('second', done, text.length),
    );
    const stages = createStages({
      labels: second.labels,
      first: second.labels.map((label) => columnOf(ofFirst.scores, first.labels, label)),
      second: second.labels.map((label) => columnOf(ofSecond.scores, second.labels, label)),
      thresholds: second.thresholds,
      truth: options.unlabelled ? new Map() : data.truth,
    });
    const [one, other, heldOut] = partsOf(text).map((rows) => pickRows(stages, rows)) as [
      Stages,
      Stages,
      Stages,
    ];
    const { band, losses } = fitBand([one, other], options.maxLoss);
    const cascade = createCascade(first, second, band);
    const both = await scoreAll(cascade, text, (done) => options.onProgress?.('cascade', done, text.length));
    return {
      first: first.model!,
      firstModel: options.first,
      second: second.model!,
      texts: text.length,
      maxLoss: options.maxLoss,
      band: rounded(band),
      fitted: [losses[0]!, losses[1]!],
      heldOut: measureLoss(heldOut, band),
      rates: { first: ofFirst.rate, second: ofSecond.rate, cascade: both.rate },
    };
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
}

async function open(models: readonly [string, string]): Promise<[Classifier, Classifier]> {
  const load = (model: string) =>
    openModel(modelConfig.parse({ model: resolveModel(model, process.cwd()), duplicates: 'off' }));
  const first = await load(models[0]);
  try {
    return [first, await load(models[1])];
  } catch (error) {
    await first.close();
    throw error;
  }
}

interface AllScores {
  readonly scores: Float32Array;
  /** Texts a second of CPU time, which other programs do not disturb. */
  readonly rate: number;
}

async function scoreAll(
  classifier: Classifier,
  texts: readonly string[],
  onProgress: (done: number) => void,
): Promise<AllScores> {
  const width = classifier.labels.length;
  const scores = new Float32Array(texts.length * width);
  const before = process.cpuUsage();
  for (let row = 0; row < texts.length; row += TEXTS_PER_CALL) {
    const part = texts.slice(row, row + TEXTS_PER_CALL);
    scores.set((await classifier.score(part)).scores, row * width);
    onProgress(row + part.length);
  }
  const { user, system } = process.cpuUsage(before);
  return { scores, rate: (texts.length * 1e6) / Math.max(1, user + system) };
}

/** An absent label is all NaN: nothing is ever clear; createCascade says so better when it is really missing. */
function columnOf(scores: Float32Array, labels: readonly string[], label: string): Float32Array {
  const column = labels.indexOf(label);
  return Float32Array.from({ length: scores.length / labels.length }, (_, row) =>
    column < 0 ? NaN : scores[row * labels.length + column]!,
  );
}

/** Three by hash, so that equal texts are in the same part and the order of the data does not matter. */
function partsOf(texts: readonly string[]): number[][] {
  const parts: number[][] = [[], [], []];
  texts.forEach((text, row) => parts[createHash('sha1').update(text).digest().readUInt32LE() % 3]!.push(row));
  return parts;
}

/** To 5 digits, outwards: a wider band decides less, never more. */
function rounded(band: Band): Band {
  return Object.fromEntries(
    Object.entries(band).map(([label, [low, high]]) => [
      label,
      [Math.floor(low * 1e5) / 1e5, Math.ceil(high * 1e5) / 1e5] as const,
    ]),
  );
}
