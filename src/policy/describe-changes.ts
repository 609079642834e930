import { formatRows } from '../archive/index.ts';
import type { ChangeCounts, Changes } from './changes.ts';

/** Lines of a table that has one for each customer, or language. */
const MOST_LINES = 20;

/** A comparison for people: totals, tables by customer, label and language, examples. */
export function describeChanges(changes: Changes, against: string): string {
  const { rows, changed, stricter, milder, kinds, otherReasons, examples } = changes;
  const parts = [
    `${rows} rows: ${changed} would change (${percent(changed, rows)}), ${stricter} to a stricter action, ${milder} to a milder one; against ${against}`,
  ];
  if (otherReasons > 0) parts.push(`${otherReasons} keep their action for other reasons`);
  const shifts = Object.entries(kinds).map(([kind, count]) => [kind, count, percent(count, rows)]);
  if (shifts.length > 0) parts.push(table(['change', 'rows', 'share'], shifts));
  if (changed > 0) {
    parts.push(
      countsTable('customer', changes.customers),
      countsTable('label', changes.labels),
      countsTable('language', changes.languages),
    );
  }
  if (examples.length > 0) {
    const names = ['change', 'content_id', 'customer', 'language', 'reason', 'score'];
    const withText = examples.some(({ text }) => text !== undefined);
    parts.push(
      table(
        [...names, ...(withText ? ['text'] : [])],
        examples.map((example) => [
          `${example.before}→${example.after}`,
          example.content_id,
          example.customer,
          example.language,
          example.reason,
          example.score,
          ...(withText ? [example.text ?? null] : []),
        ]),
      ),
    );
  }
  return parts.join('\n\n');
}

/** The same for machines, one JSON object. */
export function changesJson(changes: Changes, against: string): string {
  const { customers, labels, languages, otherReasons, ...rest } = changes;
  return JSON.stringify({
    against,
    ...rest,
    share: changes.rows === 0 ? 0 : changes.changed / changes.rows,
    other_reasons: otherReasons,
    customers: Object.fromEntries(customers),
    labels: Object.fromEntries(labels),
    languages: Object.fromEntries(languages),
  });
}

/** The most changed first. */
function countsTable(name: string, counts: ReadonlyMap<string, Readonly<ChangeCounts>>): string {
  const sorted = [...counts].toSorted(
    ([a, one], [b, other]) => other.changed - one.changed || other.rows - one.rows || (a < b ? -1 : 1),
  );
  const shown = table(
    [name, 'rows', 'changed', 'share', 'stricter', 'milder'],
    sorted
      .slice(0, MOST_LINES)
      .map(([key, { rows, changed, stricter, milder }]) => [
        key,
        rows,
        changed,
        percent(changed, rows),
        stricter,
        milder,
      ]),
  );
  const others = sorted.length - MOST_LINES;
  return others > 0 ? `${shown}\n… and ${others} more` : shown;
}

function table(columns: string[], rows: unknown[][]): string {
  return formatRows({ columns, rows }, 'table');
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? '0.00' : ((100 * part) / whole).toFixed(2)} %`;
}
