import type { QueryResult } from './query.ts';

/** How rows are printed. */
export type Format = 'table' | 'json' | 'csv';

/**
 * Rows as text without a line end: an aligned table (numbers right, at most 120 characters a cell), JSON (an array of
 * objects) or CSV (RFC 4180, with a header). Null is empty in a table and in CSV.
 */
export function formatRows(result: QueryResult, format: Format): string {
  return FORMATS[format](result);
}

const FORMATS: Record<Format, (result: QueryResult) => string> = { table: asTable, json: asJson, csv: asCsv };

function asJson({ columns, rows }: QueryResult): string {
  const lines = rows.map((row) =>
    JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null])), jsonValue),
  );
  return lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n]`;
}

/** Whole numbers beyond 2^53 would be rounded by most readers of JSON: as text. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}

function asCsv({ columns, rows }: QueryResult): string {
  const cell = (value: unknown) => {
    const text = textOf(value);
    return /[",\r\n]/.test(text) || (text === '' && value !== null)
      ? `"${text.replaceAll('"', '""')}"`
      : text;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(',')).join('\r\n');
}

function asTable({ columns, rows }: QueryResult): string {
  const cells = rows.map((row) => row.map((value) => clip(printable(textOf(value)))));
  const names = columns.map((name) => clip(printable(name)));
  const numeric = columns.map(
    (_, i) => rows.length > 0 && rows.every((row) => row[i] === null || isNumber(row[i])),
  );
  const widths = names.map((name, i) =>
    cells.reduce((most, row) => Math.max(most, width(row[i]!)), width(name)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, i) => {
        const padding = ' '.repeat(widths[i]! - width(text));
        return numeric[i] ? padding + text : text + padding;
      })
      .join('  ')
      .trimEnd();
  return [line(names), widths.map((count) => '-'.repeat(count)).join('  '), ...cells.map(line)].join('\n');
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  return JSON.stringify(value, jsonValue);
}

/** Control characters of a message must not reach a terminal. */
function printable(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}]/gu, '�');
}

function clip(text: string): string {
  if (text.length <= 120) return text;
  const chars = Array.from(text);
  return chars.length > 120 ? `${chars.slice(0, 119).join('')}…` : text;
}

/** Columns of a terminal: East Asian wide characters and emoji take two, combining marks none. */
function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    if (/\p{M}/u.test(char)) continue;
    columns +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Extended_Pictographic}/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return columns;
}
