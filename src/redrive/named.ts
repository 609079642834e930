import { MisconfiguredError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { FilterFlags, LetterFilter } from './filter.ts';
import { idOf, sinkOf, type Letters } from './letter.ts';

/** Letters and their filter as before, watched while they are read. */
export interface NamedLetters {
  readonly letters: Letters;
  readonly filter: LetterFilter;
  /**
   * Throws MisconfiguredError naming what the command line names and no letter has. Of letters that were not all read nothing
   * is known.
   */
  check(): void;
}

/** Watches for the ids and the sink that `flags` name. `sinks`: those configured; one that is gone may have refused letters. */
export function watchNamed(
  flags: Pick<FilterFlags, 'id' | 'sink'>,
  { letters, filter, sinks }: Omit<NamedLetters, 'check'> & { readonly sinks: readonly string[] },
): NamedLetters {
  const missing = new Set(flags.id);
  const known = new Set(sinks);
  let isComplete = false;
  return {
    letters: {
      ...letters,
      async read(options) {
        await letters.read(options);
        isComplete = !options.signal.aborted;
      },
    },
    filter: {
      ...filter,
      wants(letter) {
        const sink = sinkOf(letter);
        if (sink !== undefined) known.add(sink);
        const isWanted = filter.wants(letter);
        if (isWanted) missing.delete(idOf(letter));
        return isWanted;
      },
    },
    check() {
      if (!isComplete) return;
      const { sink } = flags;
      if (sink !== undefined && !known.has(sink)) {
        const names = [...known].toSorted();
        throw new MisconfiguredError(
          `--sink: expected a sink that is configured or refused a decision (${names.join(', ') || 'there is none'}), got ${sink}${didYouMean(sink, names)}`,
        );
      }
      if (missing.size > 0)
        throw new MisconfiguredError(
          `--id: expected ids of dead letters in ${letters.description} that fit, got ${[...missing].join(', ')}`,
        );
    },
  };
}
