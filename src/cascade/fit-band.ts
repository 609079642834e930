import type { Band } from '../classify/band.ts';
import { measureEnd, measureLoss, type CascadeLoss } from './loss.ts';
import type { Stages } from './stages.ts';

/** Steps in which an end passes over all texts. */
const STEPS = 60;
/** Candidates of what an end may cost, at most. */
const CANDIDATES = 60;
const MOST_OVERSTATED = 4;

/** A band, and what it costs and saves. */
export interface FittedBand {
  readonly band: Band;
  /** Of each sample, in order. */
  readonly losses: readonly CascadeLoss[];
}

/**
 * Fits the band of a cascade. An end of a label's band passes over the texts by sixtieths, surest first, as far as deciding
 * those texts of that label alone costs no more than a price on any of `samples`. The price is the same for all ends: the
 * highest for which no measure of any sample loses more than `most` (0.005: half a per cent) in the whole cascade. Several
 * samples guard against ends that suit one by chance. The more may be lost, the more is decided. Pure.
 */
export function fitBand(samples: readonly [Stages, ...Stages[]], most: number): FittedBand {
  const [fitted] = samples;
  const sides = fitted.labels.flatMap((_, label) => [
    sideOf(samples, label, true),
    sideOf(samples, label, false),
  ]);
  const measured = (price: number): FittedBand => {
    const band = bandOf(fitted.labels, sides, price);
    return { band, losses: samples.map((sample) => measureLoss(sample, band)) };
  };
  // From the highest down: a loss may rise and fall again on the way.
  for (const price of candidates(sides, most)) {
    const found = measured(price);
    if (found.losses.every(({ worst }) => worst <= most)) return found;
  }
  return measured(-1);
}

/** One end of a label's band. */
interface Side {
  /** The low end, whose texts come by rising score. */
  readonly rises: boolean;
  /** Where the end is after each step, from before the first one on. */
  readonly ends: readonly number[];
  /** What it costs to be there, or on the way there: never falls. */
  readonly prices: readonly number[];
}

function sideOf(samples: readonly [Stages, ...Stages[]], label: number, rises: boolean): Side {
  const scores = samples[0].first[label]!.filter((score) => !Number.isNaN(score)).sort();
  if (!rises) scores.reverse();
  // Texts of the score at the end, and all after it, are in the band.
  const ends = Array.from({ length: STEPS + 1 }, (_, step) =>
    step === 0 ? (rises ? 0 : 1) : (scores[Math.ceil((step / STEPS) * scores.length)] ?? (rises ? 1 : 0)),
  );
  let price = 0;
  const prices = ends.map((end) => {
    const costs = samples.map((sample) => measureEnd(sample, label, rises ? [end, 1] : [0, end]));
    return (price = Math.max(price, ...costs));
  });
  return { rises, ends, prices };
}

/**
 * Prices at which some end moves, falling. Those of a single label overstate what it loses in the cascade, where fewer texts
 * are decided, but hardly ever so much.
 */
function candidates(sides: readonly Side[], most: number): number[] {
  const all = [...new Set(sides.flatMap(({ prices }) => prices))]
    .filter((price) => price <= MOST_OVERSTATED * most)
    .toSorted((a, b) => b - a);
  const every = Math.max(1, Math.ceil(all.length / CANDIDATES));
  return all.filter((_, i) => i % every === 0 || i === all.length - 1);
}

/** Ends that have passed each other meet. A price below 0 buys nothing. */
function bandOf(labels: readonly string[], sides: readonly Side[], price: number): Band {
  const endOf = ({ ends, prices, rises }: Side) =>
    price < 0 ? (rises ? 0 : 1) : ends[prices.findLastIndex((each) => each <= price)]!;
  return Object.fromEntries(
    labels.map((label, i) => {
      const low = endOf(sides[2 * i]!);
      return [label, [low, Math.max(low, endOf(sides[2 * i + 1]!))]];
    }),
  );
}
