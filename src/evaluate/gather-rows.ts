import type { LabelledData } from './labelled-data.ts';

/** One text and what is known of it. */
export interface LabelledRow {
  readonly text: string;
  readonly language: string | null;
  readonly customer: string;
  /** Labels that hold, of those listed; undefined where the row lists none. */
  readonly names: readonly string[] | undefined;
  readonly listed: readonly string[];
  readonly truths: readonly (readonly [label: string, truth: number])[];
}

/** See {@link createGatherer}. */
export interface Gatherer {
  add(row: LabelledRow): void;
  /** Says that what was added since the last call is all of one source. */
  endSource(): void;
  data(): LabelledData;
}

/**
 * Collects rows as columns. A label that no row of a source is said to have, and none to lack in a column of its own, is unknown
 * in that source.
 */
export function createGatherer(): Gatherer {
  const text: string[] = [];
  const language: (string | null)[] = [];
  const customer: string[] = [];
  const truth = new Map<string, number[]>();
  const stated = new Set<string>();
  let empty = 0;
  let start = 0;
  return {
    add(row) {
      if (row.text === '') {
        empty++;
        return;
      }
      const index = text.push(row.text) - 1;
      language.push(row.language);
      customer.push(row.customer);
      const state = (label: string, value: number, isStated: boolean) => {
        if (Number.isNaN(value)) return;
        let column = truth.get(label);
        if (!column) truth.set(label, (column = []));
        column[index] = value;
        if (isStated) stated.add(label);
      };
      for (const [label, value] of row.truths) state(label, value, true);
      if (!row.names) return;
      for (const label of row.listed) {
        const holds = row.names.includes(label);
        state(label, holds ? 1 : 0, holds);
      }
    },
    endSource() {
      // Where no row lists a label, its zeros say nothing.
      for (const [label, column] of truth)
        if (!stated.has(label)) column.length = Math.min(column.length, start);
      stated.clear();
      start = text.length;
    },
    data: () => ({
      rows: text.length,
      text,
      language,
      customer,
      truth: new Map(
        [...truth]
          .filter(([, column]) => column.length > 0)
          .map(([label, column]) => [label, Float32Array.from(text, (_, row) => column[row] ?? NaN)]),
      ),
      empty,
    }),
  };
}
