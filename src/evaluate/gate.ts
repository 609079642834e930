import { MisconfiguredError } from '../errors.ts';
import type { Measures } from './measure.ts';
import type { EvaluateReport } from './report.ts';

/** Figures that a gate can ask for. */
export const METRICS = [
  'auc',
  'average_precision',
  'brier',
  'calibration_error',
  'precision',
  'recall',
  'f1',
  'block_precision',
  'block_recall',
  'block_f1',
] as const;

/** See {@link METRICS}. `precision`, `recall` and `f1` are those of flagged rows: review, or block without it. */
export type Metric = (typeof METRICS)[number];

/** One condition: a figure of a label, in a language if it names one, is at least or at most a bound. */
export interface Condition {
  /** As it was written. */
  readonly text: string;
  /** Undefined: every label with positives and negatives. */
  readonly label: string | undefined;
  readonly language: string | undefined;
  readonly metric: Metric;
  readonly side: 'min' | 'max';
  readonly bound: number;
}

/** A condition that does not hold. */
export interface Failure {
  readonly condition: string;
  /** One sentence: what was expected, what came, by how much it misses. */
  readonly detail: string;
}

/**
 * Reads `auc=0.8`, `toxic.f1=0.7`, `toxic.de.recall=60%`: label, language and metric, dots between them. Throws
 * MisconfiguredError for anything else.
 */
export function parseCondition(side: 'min' | 'max', text: string): Condition {
  const [path = '', ...bounds] = text.split('=');
  const parts = path.trim().split('.');
  const metric = METRICS.find((name) => name === parts.at(-1));
  const value = parseShare(bounds.join('='));
  if (metric === undefined || value === undefined || parts.length > 3)
    throw new MisconfiguredError(
      `--${side}: expected [label.][language.]metric=bound, such as auc=0.8 or toxic.de.f1=70%, with a metric of ${METRICS.join(', ')}; got "${text}"`,
    );
  const [label, language] = parts.slice(0, -1);
  return { text: `--${side} ${text}`, label, language: language?.toLowerCase(), metric, side, bound: value };
}

/** A share as people write it: `2%` or `0.02`; undefined for anything else. */
export function parseShare(text: string): number | undefined {
  const [, digits, sign] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const value = Number(digits) / (sign ? 100 : 1);
  return value <= 1 ? value : undefined;
}

/**
 * The conditions that a report does not fulfil; none: it passes. A figure that cannot be had fails its condition, as does a
 * condition that fits no label: a gate that measures nothing must not open. Pure.
 */
export function failuresOf(
  report: EvaluateReport,
  conditions: readonly Condition[],
  maxFlips: number | undefined,
): Failure[] {
  const failures = conditions.flatMap((condition) => {
    const labels =
      condition.label === undefined
        ? Object.entries(report.labels).filter(([, { all }]) => isTold(all))
        : Object.entries(report.labels).filter(([label]) => label === condition.label);
    if (labels.length === 0) {
      const known = Object.keys(report.labels).join(', ');
      return [
        {
          condition: condition.text,
          detail: `expected a label of the report with positives and negatives, got ${known || 'none'}`,
        },
      ];
    }
    return labels.flatMap(([label, { all, languages }]) => {
      const { language } = condition;
      const measures =
        language === undefined ? all : Object.hasOwn(languages, language) ? languages[language] : undefined;
      const name = [label, condition.language, condition.metric].filter(Boolean).join('.');
      const value = measures && figureOf(measures, condition.metric);
      const detail =
        measures === undefined
          ? `${name}: expected a language of the data (${Object.keys(languages).join(', ')}), got "${condition.language}"`
          : missing(name, value, condition);
      return detail === undefined ? [] : [{ condition: condition.text, detail }];
    });
  });
  if (maxFlips === undefined) return failures;
  const condition = `--max-flips ${percent(maxFlips)}`;
  if (!report.against)
    return [...failures, { condition, detail: 'expected --against, to compare with, got none' }];
  const { share, flipped, rows } = report.against.flips;
  if (share <= maxFlips) return failures;
  const detail = `expected at most ${percent(maxFlips)} of decisions to flip, got ${percent(share)} (${flipped} of ${rows}): ${percent(share - maxFlips)} too many`;
  return [...failures, { condition, detail }];
}

/** Whether the data have positives and negatives, scored or not: where a model scores none of them, it must not pass. */
function isTold({ rows, positives, unscored, unscored_positives: unscoredPositives }: Measures): boolean {
  const all = positives + unscoredPositives;
  return all > 0 && all < rows + unscored;
}

function missing(name: string, value: number | undefined, { side, bound }: Condition): string | undefined {
  const wanted = `${name}: expected at ${side === 'min' ? 'least' : 'most'} ${bound}`;
  if (value === undefined || Number.isNaN(value))
    return `${wanted}, got none: it takes scored rows with and without the label, and a threshold for precision, recall and f1`;
  if (side === 'min' ? value >= bound : value <= bound) return undefined;
  return `${wanted}, got ${value.toFixed(4)}: ${Math.abs(value - bound).toFixed(4)} too ${side === 'min' ? 'low' : 'high'}`;
}

function figureOf(measures: Measures, metric: Metric): number | undefined {
  if (metric === 'precision' || metric === 'recall' || metric === 'f1')
    return (measures.review ?? measures.block)?.[metric].value;
  if (metric === 'block_precision') return measures.block?.precision.value;
  if (metric === 'block_recall') return measures.block?.recall.value;
  if (metric === 'block_f1') return measures.block?.f1.value;
  return measures[metric].value;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
