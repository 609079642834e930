import { MisconfiguredError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Band } from './band.ts';
import type { Classifier, Scores } from './classifier.ts';

/**
 * Two classifiers as one: the first scores every text, and only those for which it is not sure of some label go to the
 * second. A text whose scores all lie outside of the band keeps the first's, which must mean what the second's mean (see
 * fit-band.ts); one that the first could not score is the second's. Labels, thresholds and languages are the second's, the
 * id names both, and `counts.first_stage` is how many texts never reached the second. Closing closes both. Throws
 * MisconfiguredError when a label has no band, or the first does not know it.
 */
export function createCascade(first: Classifier, second: Classifier, band: Band): Classifier {
  const columns = second.labels.map((label) => columnOf(label, first, band));
  const unknown = Object.keys(band).find((label) => !second.labels.includes(label));
  if (unknown !== undefined)
    throw new MisconfiguredError(
      `the band of a cascade: expected labels of ${second.model} (${second.labels.join(', ')}), got "${unknown}"${didYouMean(unknown, second.labels)}`,
    );

  const score = async (texts: readonly string[]): Promise<Scores> => {
    const quick = await first.score(texts);
    const width = columns.length;
    const scores = new Float32Array(texts.length * width);
    const rest: number[] = [];
    for (let row = 0; row < texts.length; row++) {
      let isClear = true;
      for (let i = 0; i < width; i++) {
        const { column, low, high } = columns[i]!;
        const found = quick.scores[row * first.labels.length + column]!;
        scores[row * width + i] = found;
        // Written so that NaN is not clear.
        isClear &&= found < low || found > high;
      }
      if (!isClear) rest.push(row);
    }
    const slow = await second.score(rest.map((row) => texts[row]!));
    rest.forEach((row, at) => scores.set(slow.scores.subarray(at * width, (at + 1) * width), row * width));
    return {
      scores,
      poison: slow.poison.map(({ row, detail }) => ({ row: rest[row]!, detail })),
      tokens: quick.tokens + slow.tokens,
      padding: quick.padding + slow.padding,
      counts: { ...slow.counts, first_stage: texts.length - rest.length },
      seconds: {
        tokenise: quick.seconds.tokenise + slow.seconds.tokenise,
        infer: quick.seconds.infer + slow.seconds.infer,
      },
    };
  };
  return {
    labels: second.labels,
    model: `${second.model} after ${first.model}`,
    thresholds: second.thresholds,
    languageThresholds: second.languageThresholds,
    languages: second.languages,
    ...(second.runsOn === undefined ? {} : { runsOn: second.runsOn }),
    score,
    async close() {
      await Promise.all([first.close(), second.close()]);
    },
  };
}

interface Column {
  readonly column: number;
  /** Float32 like the scores, so that a score on an end of the band is in it. */
  readonly low: number;
  readonly high: number;
}

function columnOf(label: string, first: Classifier, band: Band): Column {
  const column = first.labels.indexOf(label);
  if (column < 0)
    throw new MisconfiguredError(
      `a cascade: expected ${first.model} to know "${label}" of the second stage, got ${first.labels.join(', ')}`,
    );
  const ends = Object.hasOwn(band, label) ? band[label] : undefined;
  if (!ends)
    throw new MisconfiguredError(
      `the band of a cascade: expected an entry for "${label}", got ${Object.keys(band).join(', ') || 'none'}; \`sluice cascade fit\` finds one`,
    );
  return { column, low: Math.fround(ends[0]), high: Math.fround(ends[1]) };
}
