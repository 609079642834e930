import { InputError, MisconfiguredError } from '../errors.ts';

/** Where the truth of a label stands in labelled data. */
export interface LabelColumn {
  readonly label: string;
  /** Column with 0/1, a boolean, a share of annotators, or one of `values`. */
  readonly column: string;
  /** Values of the column that mean the label holds; without them the column says it itself. */
  readonly values?: readonly string[];
}

/**
 * Reads `label=column` or `label=column:value|value`, such as `toxic=class:0|1`. Throws MisconfiguredError for
 * anything else.
 */
export function parseLabelColumn(text: string): LabelColumn {
  const equals = text.indexOf('=');
  const label = text.slice(0, equals).trim();
  const [column = '', ...rest] = text
    .slice(equals + 1)
    .trim()
    .split(':');
  if (equals < 1 || label === '' || column === '')
    throw new MisconfiguredError(
      `--label: expected label=column or label=column:value|value, such as toxic=is_toxic or toxic=class:0|1, got "${text}"`,
    );
  return rest.length === 0 ? { label, column } : { label, column, values: rest.join(':').split('|') };
}

const YES = new Set(['1', 'true', 'yes', 't', 'y']);
const NO = new Set(['0', 'false', 'no', 'f', 'n']);
const UNKNOWN = new Set(['', 'null', 'nan', 'na', 'n/a', 'none']);

/**
 * How true a value of labelled data is: 0 to 1, NaN where it is unknown (null, an empty cell). Takes booleans, numbers
 * from 0 to 1 and the usual words for them. Throws InputError for anything else. Pure.
 */
export function truthOf(value: unknown): number {
  if (value === null || value === undefined) return NaN;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') {
    const word = value.trim().toLowerCase();
    if (UNKNOWN.has(word)) return NaN;
    if (YES.has(word)) return 1;
    if (NO.has(word)) return 0;
  }
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN;
  if (number >= 0 && number <= 1) return number;
  throw new InputError(
    `expected 0, 1, a boolean, a share from 0 to 1 or nothing, got ${shown(value)}; columns of other values are named with them: --label toxic=class:0|1`,
  );
}

/** Whether a cell is one of the values that mean yes, or a list with one of them; NaN where the cell is empty. Pure. */
export function truthAmong(value: unknown, values: readonly string[]): number {
  if (value === null || value === undefined || value === '') return NaN;
  const found = (Array.isArray(value) ? value : [value]) as unknown[];
  return found.some((each) => values.some((yes) => isSame(String(each), yes))) ? 1 : 0;
}

/** Data frames write 1 as 1.0 where a column has gaps. */
function isSame(cell: string, value: string): boolean {
  if (cell === value) return true;
  const [a, b] = [cell.trim(), value.trim()];
  return a === b || (a !== '' && b !== '' && Number(a) === Number(b));
}

/**
 * The names in a cell that lists the labels which hold: a list, a JSON list as text, or text with commas, semicolons or
 * bars. `undefined` where the cell is empty: nobody said anything; an empty list says that none holds. Throws InputError for
 * other values. Pure.
 */
export function namesOf(value: unknown): string[] | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(String);
  if (typeof value === 'string') {
    const text = value.trim();
    if (text === '') return undefined;
    if (text.startsWith('[')) return (parseJson(text) as unknown[]).map(String);
    return text
      .split(/[,;|]/)
      .map((name) => name.trim())
      .filter((name) => name !== '');
  }
  throw new InputError(`expected a list of labels, got ${shown(value)}`);
}

/** Parses JSON text. Throws InputError that shows the beginning of what came. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InputError(`expected JSON, got ${shown(text)}`, { cause: error });
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
