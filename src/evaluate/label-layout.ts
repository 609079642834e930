import { MisconfiguredError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { LabelColumn } from './truth.ts';

/** What is asked of labelled data: where things stand in it. */
export interface LayoutOptions {
  /** Labels whose columns are looked for by name. */
  readonly labels: readonly string[];
  /** Columns of labels under other names. */
  readonly columns?: readonly LabelColumn[];
  /** Column of the text; else `text` or `content`. */
  readonly text?: string;
  /** Column of the language; else `language` or `lang`, where there is one. */
  readonly language?: string;
  /** Column of the customer; else `customer`, where there is one. */
  readonly customer?: string;
  /** Whether a file without any label will do. */
  readonly unlabelled?: boolean;
}

const TEXT = ['text', 'content'];
const LANGUAGE = ['language', 'lang'];
const CUSTOMER = ['customer'];
/** A column that lists the labels which hold of a row. */
const LISTS = ['labels', 'label'];

/** Where things stand in one file. */
export interface Layout {
  readonly text: string;
  readonly language: string | undefined;
  readonly customer: string | undefined;
  readonly labels: readonly LabelColumn[];
  /** Column that lists labels, and the labels of which it speaks. */
  readonly list: string | undefined;
  readonly listed: readonly string[];
}

/** Finds them among the columns `names`. Throws MisconfiguredError, with `place`, when there is no text or no label. Pure. */
export function layoutOf(place: string, names: readonly string[], options: LayoutOptions): Layout {
  const find = (flag: string, name: string | undefined, usual: readonly string[]) => {
    if (name === undefined) return usual.find((each) => names.includes(each));
    if (names.includes(name)) return name;
    throw new MisconfiguredError(
      `${place}: ${flag}: expected a column of ${names.join(', ')}, got "${name}"${didYouMean(name, names)}`,
    );
  };
  const text = find('--text', options.text, TEXT);
  if (text === undefined)
    throw new MisconfiguredError(
      `${place}: expected a column text or content, got ${names.join(', ')}; name it: --text COLUMN`,
    );
  const named = options.columns ?? [];
  for (const { label, column } of named) find(`--label ${label}`, column, []);
  const found = options.labels
    .filter((label) => names.includes(label) && !named.some((each) => each.label === label))
    .map((label): LabelColumn => ({ label, column: label }));
  const labels = [...named, ...found];
  const list = LISTS.find((name) => names.includes(name) && !labels.some(({ column }) => column === name));
  const listed = options.labels.filter((label) => !labels.some((each) => each.label === label));
  if (labels.length === 0 && list === undefined && !options.unlabelled)
    throw new MisconfiguredError(
      `${place}: expected a column for a label (${options.labels.join(', ')}) or one named labels, got ${names.join(', ')}; ` +
        `name it: --label ${options.labels[0] ?? 'toxic'}=COLUMN`,
    );
  return {
    text,
    language: find('--language', options.language, LANGUAGE),
    customer: find('--customer', options.customer, CUSTOMER),
    labels,
    list,
    listed,
  };
}
