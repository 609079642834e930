import { ACTIONS, type Action } from '../types.ts';

/** What one row was decided, and would be. */
export interface Compared {
  readonly contentId: string;
  readonly customer: string;
  readonly language: string | null;
  readonly before: Action;
  readonly after: Action;
  /** Reasons of both, worst first; null for none. */
  readonly reasonsBefore: readonly string[] | null;
  readonly reasonsAfter: readonly string[] | null;
  /** Score of the label that explains the change, where it has one. */
  readonly score?: number | undefined;
  readonly text?: string | undefined;
}

/** Counts of some rows. */
export interface ChangeCounts {
  rows: number;
  changed: number;
  /** Of the changed ones. */
  stricter: number;
  milder: number;
}

/** A row that would change, shown. */
export interface ChangeExample {
  readonly content_id: string;
  readonly customer: string;
  readonly language: string | null;
  readonly before: Action;
  readonly after: Action;
  /** The label or fact that explains the change. */
  readonly reason: string | null;
  readonly score: number | null;
  readonly text?: string;
}

/** Everything that {@link createChanges} counted. */
export interface Changes extends Readonly<ChangeCounts> {
  /** Changed rows by kind, such as `allow→block`, in the order of actions. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Of the rows that keep their action, those whose reasons would be others. */
  readonly otherReasons: number;
  readonly customers: ReadonlyMap<string, Readonly<ChangeCounts>>;
  /** By the label or fact that explains the change: `rows` are all with it among their reasons, before or after. */
  readonly labels: ReadonlyMap<string, Readonly<ChangeCounts>>;
  /** `und`: not known. */
  readonly languages: ReadonlyMap<string, Readonly<ChangeCounts>>;
  /** Of each kind the first ones. */
  readonly examples: readonly ChangeExample[];
}

/** Counts what changes, and keeps the first examples of each kind. */
export function createChanges(options: { readonly examples: number }): {
  add(row: Compared): void;
  result(): Changes;
} {
  const total = none();
  const kinds = new Map<string, number>();
  let otherReasons = 0;
  const [customers, labels, languages] = Array.from({ length: 3 }, () => new Map<string, ChangeCounts>());
  const examples = new Map<string, ChangeExample[]>();
  const count = (map: Map<string, ChangeCounts>, key: string, severity: number) => {
    let counts = map.get(key);
    if (!counts) map.set(key, (counts = none()));
    tally(counts, severity);
  };

  return {
    add(row) {
      const severity = Math.sign(ACTIONS.indexOf(row.after) - ACTIONS.indexOf(row.before));
      tally(total, severity);
      count(customers!, row.customer, severity);
      count(languages!, row.language ?? 'und', severity);
      const reason = reasonOf(row);
      for (const label of new Set([...(row.reasonsBefore ?? []), ...(row.reasonsAfter ?? [])]))
        count(labels!, label, label === reason ? severity : 0);
      if (severity === 0) {
        if (!isSame(row.reasonsBefore, row.reasonsAfter)) otherReasons++;
        return;
      }
      const kind = `${row.before}→${row.after}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      const shown = examples.get(kind) ?? [];
      if (shown.length < options.examples) examples.set(kind, [...shown, exampleOf(row, reason)]);
    },
    result: () => ({
      ...total,
      kinds: Object.fromEntries(
        ACTIONS.flatMap((before) => ACTIONS.map((after) => `${before}→${after}`)).flatMap((kind) =>
          kinds.has(kind) ? [[kind, kinds.get(kind)!]] : [],
        ),
      ),
      otherReasons,
      customers: customers!,
      labels: labels!,
      languages: languages!,
      examples: [...examples.values()].flat(),
    }),
  };
}

/** What explains a row's change: the first reason of the severer decision. */
export function reasonOf({
  before,
  after,
  reasonsBefore,
  reasonsAfter,
}: Pick<Compared, 'before' | 'after' | 'reasonsBefore' | 'reasonsAfter'>): string | null {
  const isStricter = ACTIONS.indexOf(after) >= ACTIONS.indexOf(before);
  return (isStricter ? reasonsAfter : reasonsBefore)?.[0] ?? null;
}

function none(): ChangeCounts {
  return { rows: 0, changed: 0, stricter: 0, milder: 0 };
}

function tally(counts: ChangeCounts, severity: number): void {
  counts.rows++;
  if (severity === 0) return;
  counts.changed++;
  if (severity > 0) counts.stricter++;
  else counts.milder++;
}

function exampleOf(row: Compared, reason: string | null): ChangeExample {
  const { contentId, customer, language, before, after, score, text } = row;
  return {
    content_id: contentId,
    customer,
    language,
    before,
    after,
    reason,
    score: score === undefined || Number.isNaN(score) ? null : Math.round(score * 1e4) / 1e4,
    ...(text === undefined ? {} : { text }),
  };
}

/** In any order: it follows the scores. */
function isSame(one: readonly string[] | null, other: readonly string[] | null): boolean {
  return [...(one ?? [])].toSorted().join('\0') === [...(other ?? [])].toSorted().join('\0');
}
