import type { BootstrapOptions } from './bootstrap.ts';
import { flipsOf, type Flips } from './flips.ts';
import type { LabelledData } from './labelled-data.ts';
import { compare, measure, type Difference, type Measures } from './measure.ts';
import type { Verdicts } from './verdicts.ts';

/** One label: over all rows, and by language (primary subtag, `und` where it is not known). */
export interface LabelReport {
  readonly all: Measures;
  readonly languages: Readonly<Record<string, Measures>>;
}

/** One side of an evaluation. */
export interface SideReport {
  /** `name@version`. */
  readonly model: string;
  /** Id of the default policy. */
  readonly policy: string;
  readonly labels: Readonly<Record<string, LabelReport>>;
  /** Rows that made the model fail. */
  readonly poison: number;
  /** Rows by action. */
  readonly actions: Readonly<Record<'allow' | 'review' | 'block', number>>;
}

/** What `sluice evaluate --json` prints. Figures that cannot be had are null there, NaN here. */
export interface EvaluateReport extends SideReport {
  readonly data: {
    readonly rows: number;
    /** Rows left out, since they have no text. */
    readonly empty: number;
    /** Rows by language. */
    readonly languages: Readonly<Record<string, number>>;
  };
  /** Labels of the data that no side scores. */
  readonly not_scored: readonly string[];
  /** What it was compared with, and how. */
  readonly against?: SideReport & {
    readonly flips: Flips;
    readonly flips_by_language: Readonly<Record<string, Flips>>;
    /** The model minus this one, for labels that both have. */
    readonly differences: Readonly<Record<string, Difference>>;
  };
}

/** Measures one side, or two of the same data. Pure: the same options give the same report. */
export function reportOf(
  data: LabelledData,
  [verdicts, against]: readonly Verdicts[],
  options: BootstrapOptions,
): EvaluateReport {
  const side = verdicts!;
  const all = Array.from({ length: data.rows }, (_, row) => row);
  const languages = rowsByLanguage(side.language);
  const known = [side, ...(against ? [against] : [])];
  const report: EvaluateReport = {
    data: {
      rows: data.rows,
      empty: data.empty,
      languages: Object.fromEntries([...languages].map(([language, rows]) => [language, rows.length])),
    },
    not_scored: [...data.truth.keys()].filter((label) => !known.some(({ labels }) => labels.has(label))),
    ...sideReport(data, side, all, languages, options),
  };
  if (!against) return report;
  const truths = [...data.truth.values()];
  const flips = (rows: readonly number[]) => flipsOf(rows, against.actions, side.actions, truths);
  return {
    ...report,
    against: {
      ...sideReport(data, against, all, languages, options),
      flips: flips(all),
      flips_by_language: Object.fromEntries(
        [...languages].map(([language, rows]) => [language, flips(rows)]),
      ),
      differences: Object.fromEntries(
        [...data.truth].flatMap(([label, truth]) => {
          const [one, other] = [side.labels.get(label), against.labels.get(label)];
          return one && other ? [[label, compare(all, [one, other], truth, options)]] : [];
        }),
      ),
    },
  };
}

function sideReport(
  data: LabelledData,
  { model, policy, labels, poison, actions }: Verdicts,
  all: readonly number[],
  languages: ReadonlyMap<string, readonly number[]>,
  options: BootstrapOptions,
): SideReport {
  const reports = [...labels].flatMap(([label, verdicts]): [string, LabelReport][] => {
    const truth = data.truth.get(label);
    if (!truth) return [];
    const byLanguage = [...languages]
      .filter(([, rows]) => rows.some((row) => !Number.isNaN(truth[row]!)))
      .map(([language, rows]) => [language, measure(rows, verdicts, truth, options)] as const);
    return [
      [label, { all: measure(all, verdicts, truth, options), languages: Object.fromEntries(byLanguage) }],
    ];
  });
  const counts = { allow: 0, review: 0, block: 0 };
  for (const action of actions) counts[(['allow', 'review', 'block'] as const)[action]!]++;
  return { model, policy, labels: Object.fromEntries(reports), poison, actions: counts };
}

/** Rows by primary subtag, most rows first. */
function rowsByLanguage(languages: readonly (string | null)[]): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  languages.forEach((tag, row) => {
    const language = tag?.split(/[-_]/, 1)[0]?.toLowerCase() ?? 'und';
    const list = rows.get(language);
    if (list) list.push(row);
    else rows.set(language, [row]);
  });
  return new Map([...rows].sort(([a, one], [b, other]) => other.length - one.length || (a < b ? -1 : 1)));
}
