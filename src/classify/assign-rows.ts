import { LONGEST_TAG, tagRanges } from './language-tag.ts';
import { stickyPlace } from './sticky-share.ts';

/** What decides which rows a model takes. */
export interface AssignedModel {
  /** Its name in the configuration. */
  readonly name: string;
  readonly role: 'decide' | 'shadow';
  readonly labels: readonly string[];
  /** BCP 47 tags, normalised; `und`: rows whose language is not known. Undefined: all. */
  readonly languages: ReadonlySet<string> | undefined;
  /** Part of the rows, 0 to 1. */
  readonly share: number;
  /** Whether a policy can act on one of its labels. */
  readonly judges: boolean;
}

/** Rows to be assigned: entry i of each array belongs to row i. */
export interface AssignableRows {
  readonly rows: number;
  readonly customer: readonly string[];
  readonly userId: readonly (string | null)[];
  readonly contentId: readonly string[];
  /** BCP 47 tags, null where the language is not known. */
  readonly language: readonly (string | null)[];
  /** 1 where the language is only a guess, on which no row is called unsupported; absent: nowhere. */
  readonly guessed?: Uint8Array | undefined;
}

/** Which models take which rows. Model i is bit i of a set. */
export interface Assignment {
  /** The models that take each row; absent when all rows go to `common`. */
  readonly sets?: Int32Array;
  readonly common: number;
  /** 1 for rows in a language that no model judges; absent: none. */
  readonly unsupported?: Uint8Array;
}

/** Bits of a set. */
export const MOST_MODELS = 30;
/** Tags of producers that are remembered; with more of them, whoever sends nonsense costs time, not memory. */
const REMEMBERED_TAGS = 10_000;
const UNKNOWN = 'und';

/**
 * Makes the function that assigns rows to models by one rule: a row goes to a model if the model takes it (its languages
 * contain the row's, its share the row's user) and no earlier deciding model that has a label in common took it. A shadow model
 * takes what it can, and nothing away from others. A row is unsupported when its language is known and none of the deciding
 * models on which a policy can act takes it, by language and share. Pure.
 */
export function createAssignment(models: readonly AssignedModel[]): (rows: AssignableRows) => Assignment {
  const earlier = conflicts(models);
  const bitsOf = (test: (model: AssignedModel) => boolean) =>
    models.reduce((bits, model, i) => (test(model) ? bits | (1 << i) : bits), 0);
  const deciding = bitsOf(({ role }) => role === 'decide');
  const acting = bitsOf(({ role, judges }) => role === 'decide' && judges);
  const judging = acting === 0 ? deciding : acting;
  const shared = bitsOf(({ share }) => share < 1);
  const all = bitsOf(() => true);
  const speakers = bySpeech(models);

  /** Of the models that take a row, those that no earlier one keeps it from. */
  const settle = (takers: number): number => {
    let set = takers & ~deciding;
    for (let i = 0; i < models.length; i++) {
      const bit = 1 << i;
      if ((takers & deciding & bit) !== 0 && (set & earlier[i]!) === 0) set |= bit;
    }
    return set;
  };

  if (models.every(({ languages }) => languages === undefined) && shared === 0) {
    const common = settle(all);
    return () => ({ common });
  }
  return ({ rows, customer, userId, contentId, language, guessed }) => {
    const sets = new Int32Array(rows);
    let unsupported: Uint8Array | undefined;
    const takersOf = (tag: string, row: number): number => {
      let takers = speakers(tag);
      if ((takers & shared) === 0) return takers;
      const who = userId[row] ?? contentId[row]!;
      for (let i = 0; i < models.length; i++) {
        const { name, share } = models[i]!;
        if ((takers & shared & (1 << i)) !== 0 && stickyPlace(name, customer[row]!, who) >= share)
          takers &= ~(1 << i);
      }
      return takers;
    };
    for (let row = 0; row < rows; row++) {
      const tag = language[row] ?? UNKNOWN;
      let takers = takersOf(tag, row);
      if (tag !== UNKNOWN && (takers & judging) === 0) {
        if (guessed?.[row]) takers = takersOf(UNKNOWN, row);
        else (unsupported ??= new Uint8Array(rows))[row] = 1;
      }
      sets[row] = settle(takers);
    }
    const [common = 0] = sets;
    const answer = sets.every((set) => set === common) ? { common } : { sets, common };
    return unsupported ? { ...answer, unsupported } : answer;
  };
}

/** Rows that model `index` takes, growing; null when it takes all of them. */
export function rowsOf({ sets, common }: Assignment, index: number): Int32Array | null {
  const bit = 1 << index;
  if (!sets) return (common & bit) === 0 ? NONE : null;
  const rows = new Int32Array(sets.length);
  let count = 0;
  for (let row = 0; row < sets.length; row++) if ((sets[row]! & bit) !== 0) rows[count++] = row;
  return rows.subarray(0, count);
}

const NONE = new Int32Array(0);

/** For each model the earlier deciding ones that have a label in common with it. */
export function conflicts(models: readonly Pick<AssignedModel, 'labels' | 'role'>[]): number[] {
  return models.map(({ labels }, index) => {
    const own = new Set(labels);
    return models
      .slice(0, index)
      .reduce(
        (bits, other, i) =>
          other.role === 'decide' && other.labels.some((label) => own.has(label)) ? bits | (1 << i) : bits,
        0,
      );
  });
}

/** The models that take a language, by tag. */
function bySpeech(models: readonly AssignedModel[]): (tag: string) => number {
  const known = new Map<string, number>();
  return (tag) => {
    const remembered = known.get(tag);
    if (remembered !== undefined) return remembered;
    const ranges = tagRanges(tag);
    const bits = models.reduce(
      (set, { languages }, i) =>
        !languages || ranges.some((range) => languages.has(range)) ? set | (1 << i) : set,
      0,
    );
    if (known.size < REMEMBERED_TAGS && tag.length <= LONGEST_TAG) known.set(tag, bits);
    return bits;
  };
}
