import { formatRows } from '../archive/index.ts';
import type { DeadLetter } from '../types.ts';
import { dayOf, sinkOf } from './letter.ts';

/** Letters that are alike. */
export interface LetterGroup {
  readonly stage: string;
  readonly code: string;
  /** Topic of the message; for stage `deliver` the sink that refused it is beside it. */
  readonly topic: string;
  readonly sink: string | null;
  /** Day of receipt, UTC. */
  readonly day: string;
  letters: number;
  /** How many of them were sent back. */
  redriven: number;
}

/** Counts letters by stage, code, topic, sink and day. */
export interface LetterCounts {
  add(letter: DeadLetter, redriven: boolean): void;
  /** Latest day first, most letters first. */
  groups(): readonly LetterGroup[];
}

/** Starts to count. */
export function createLetterCounts(): LetterCounts {
  const groups = new Map<string, LetterGroup>();
  return {
    add(letter, redriven) {
      const { stage, code, topic } = letter;
      const [sink, day] = [sinkOf(letter) ?? null, dayOf(letter)];
      const key = JSON.stringify([stage, code, topic, sink, day]);
      const group = groups.get(key) ?? { stage, code, topic, sink, day, letters: 0, redriven: 0 };
      group.letters++;
      if (redriven) group.redriven++;
      groups.set(key, group);
    },
    groups: () =>
      [...groups.values()].toSorted((a, b) =>
        a.day === b.day ? b.letters - a.letters : a.day < b.day ? 1 : -1,
      ),
  };
}

/** Groups as a table for people. */
export function countsTable(groups: readonly LetterGroup[]): string {
  const columns = ['day', 'stage', 'code', 'topic', 'sink', 'letters', 'redriven'];
  return formatRows(
    {
      columns,
      rows: groups.map(({ day, stage, code, topic, sink, letters, redriven }) => [
        day,
        stage,
        code,
        topic,
        sink,
        letters,
        redriven,
      ]),
    },
    'table',
  );
}
