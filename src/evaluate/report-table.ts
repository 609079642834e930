import { formatRows } from '../archive/index.ts';
import type { Estimate } from './bootstrap.ts';
import type { Measures } from './measure.ts';
import type { EvaluateReport, SideReport } from './report.ts';
import type { ThresholdRow } from './threshold-table.ts';

/** A table of a report. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Tables of an evaluation, most important first. `minRows`: languages with fewer rows are left out here. Pure. */
export function tablesOf(report: EvaluateReport, minRows: number): ReportTable[] {
  const { against } = report;
  return [
    { title: `Quality of ${report.model}`, ...quality(report, minRows) },
    ...(against ? [{ title: `Quality of ${against.model}`, ...quality(against, minRows) }] : []),
    ...(against ? differences(report) : []),
    ...(against ? flips(report, minRows) : []),
    { title: `At the thresholds of policy ${report.policy}`, ...levels(report, minRows) },
    ...Object.entries(report.labels)
      .filter(([, { all }]) => all.suggested.length > 0)
      .map(([label, { all }]) => ({ title: `Thresholds for ${label}`, ...thresholds(all.suggested) })),
  ];
}

/** Tables as aligned text. */
export function textOf(tables: readonly ReportTable[]): string {
  return tables
    .map(
      ({ title, columns, rows }) =>
        `${title}\n\n${formatRows({ columns: [...columns], rows: rows.map((row) => [...row]) }, 'table')}`,
    )
    .join('\n\n');
}

/** Tables in Markdown, such as for a model card or a pull request. */
export function markdownOf(tables: readonly ReportTable[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return tables
    .map(({ title, columns, rows }) =>
      [`### ${title}`, '', line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n'),
    )
    .join('\n\n');
}

type Body = Pick<ReportTable, 'columns' | 'rows'>;

function groups({ labels }: SideReport, minRows: number): [label: string, group: string, Measures][] {
  return Object.entries(labels).flatMap(([label, { all, languages }]) => [
    [label, 'all', all],
    ...Object.entries(languages)
      // Where all rows are in one language, it would be the same line again.
      .filter(([, { rows, unscored }]) => rows + unscored >= minRows && rows < all.rows)
      .map(([language, measures]): [string, string, Measures] => [label, language, measures]),
  ]);
}

function quality(side: SideReport, minRows: number): Body {
  return {
    columns: [
      'label',
      'language',
      'rows',
      'positive',
      'not scored',
      'AUC',
      'average precision',
      'Brier',
      'ECE',
    ],
    rows: groups(side, minRows).map(([label, group, measures]) => [
      label,
      group,
      String(measures.rows),
      String(measures.positives),
      String(measures.unscored),
      interval(measures.auc),
      interval(measures.average_precision),
      figure(measures.brier.value),
      figure(measures.calibration_error.value),
    ]),
  };
}

function levels(side: SideReport, minRows: number): Body {
  return {
    columns: ['label', 'language', 'level', 'threshold', 'flagged', 'precision', 'recall', 'F1'],
    rows: groups(side, minRows).flatMap(([label, group, measures]) =>
      (['review', 'block'] as const).flatMap((level) => {
        const at = measures[level];
        if (!at) return [];
        const threshold = at.threshold === null ? 'by row' : String(at.threshold);
        const share = percent(at.flagged / measures.rows);
        return [
          [
            label,
            group,
            level,
            threshold,
            share,
            interval(at.precision),
            interval(at.recall),
            interval(at.f1),
          ],
        ];
      }),
    ),
  };
}

function thresholds(suggested: readonly ThresholdRow[]): Body {
  return {
    columns: ['for', 'threshold', 'precision', 'recall', 'F1', 'flagged'],
    rows: suggested.map(({ goal, target, threshold, precision, recall, f1, flagged }) => {
      const wanted = target === null ? 'best F1' : `${goal} ≥ ${target}`;
      if (threshold === null) return [wanted, 'none', '', '', '', ''];
      return [wanted, String(threshold), figure(precision), figure(recall), figure(f1), percent(flagged)];
    }),
  };
}

function differences(report: EvaluateReport): ReportTable[] {
  const rows = Object.entries(report.against!.differences).map(([label, difference]) => [
    label,
    String(difference.rows),
    signed(difference.auc),
    signed(difference.average_precision),
  ]);
  if (rows.length === 0) return [];
  const title = `${report.model} minus ${report.against!.model}`;
  return [{ title, columns: ['label', 'rows', 'AUC', 'average precision'], rows }];
}

function flips(report: EvaluateReport, minRows: number): ReportTable[] {
  const { flips: all, flips_by_language: byLanguage } = report.against!;
  const entries = Object.entries(byLanguage).filter(([, { rows }]) => rows >= minRows);
  const of = ({ rows, known, positive }: { rows: number; known: number; positive: number }) =>
    known === 0 ? String(rows) : `${rows} (${percent(positive / known)} of the known ones positive)`;
  const pairs = Object.entries(all.matrix).flatMap(([from, row]) =>
    Object.entries(row)
      .filter(([to, count]) => to !== from && count > 0)
      .map(([to, count]) => [`${from} → ${to}`, String(count), percent(count / all.rows)]),
  );
  return [
    {
      title: 'Decisions that flip',
      columns: ['language', 'rows', 'flipped', 'share', 'stricter', 'milder'],
      rows: [['all', all] as const, ...entries].map(([language, flip]) => [
        language,
        String(flip.rows),
        String(flip.flipped),
        percent(flip.share),
        of(flip.stricter),
        of(flip.milder),
      ]),
    },
    ...(pairs.length > 0
      ? [{ title: 'Towards what', columns: ['from → to', 'rows', 'share'], rows: pairs }]
      : []),
  ];
}

function figure(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(3);
}

function interval({ value, low, high }: Estimate): string {
  if (Number.isNaN(value) || Number.isNaN(low)) return figure(value);
  return `${figure(value)} [${figure(low)}, ${figure(high)}]`;
}

function signed({ value, low, high }: Estimate): string {
  const plus = (number: number) => (number >= 0 ? `+${number.toFixed(3)}` : number.toFixed(3));
  if (Number.isNaN(value)) return '–';
  return Number.isNaN(low) ? plus(value) : `${plus(value)} [${plus(low)}, ${plus(high)}]`;
}

function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${(share * 100).toFixed(2)} %`;
}
