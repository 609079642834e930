import { ACTIONS, type Action } from '../types.ts';

/** Decisions that differ between two sides. */
export interface Flips {
  readonly rows: number;
  /** Rows whose action differs, and their share. */
  readonly flipped: number;
  readonly share: number;
  /** Action of the one compared against → action of the model → rows. */
  readonly matrix: Readonly<Record<Action, Readonly<Record<Action, number>>>>;
  /** Of the rows that became stricter and of which something is known: those of which some label holds; and milder ones. */
  readonly stricter: { readonly rows: number; readonly known: number; readonly positive: number };
  readonly milder: { readonly rows: number; readonly known: number; readonly positive: number };
}

/**
 * What changes when the actions `before` become `after`, over some rows. `truth` are the degrees of all labels: with them
 * it counts how many of the flipped rows deserve it. Pure.
 */
export function flipsOf(
  rows: readonly number[],
  before: Uint8Array,
  after: Uint8Array,
  truth: readonly Float32Array[],
): Flips {
  const counts = ACTIONS.map(() => ACTIONS.map(() => 0));
  const turned = { stricter: { rows: 0, known: 0, positive: 0 }, milder: { rows: 0, known: 0, positive: 0 } };
  for (const row of rows) {
    const from = before[row]!;
    const to = after[row]!;
    counts[from]![to]!++;
    if (from === to) continue;
    const side = to > from ? turned.stricter : turned.milder;
    side.rows++;
    if (truth.some((degrees) => !Number.isNaN(degrees[row]!))) side.known++;
    if (truth.some((degrees) => degrees[row]! >= 0.5)) side.positive++;
  }
  const flipped = turned.stricter.rows + turned.milder.rows;
  const byAction = <Value>(valueOf: (index: number) => Value) =>
    Object.fromEntries(ACTIONS.map((action, index) => [action, valueOf(index)])) as Record<Action, Value>;
  return {
    rows: rows.length,
    flipped,
    share: flipped / rows.length,
    matrix: byAction((from) => byAction((to) => counts[from]![to]!)),
    ...turned,
  };
}
