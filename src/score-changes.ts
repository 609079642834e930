import { rename, rm } from 'node:fs/promises';
import { query } from './archive/index.ts';
import type { Store } from './ports.ts';
import { ARCHIVED } from './score-unchanged.ts';

/** Where the changes of an archive made with `rows: changed` are written. */
export interface ChangesOptions {
  /** The archive. */
  readonly root: string;
  /** Parquet where it ends so, else JSON lines. */
  readonly file: string;
}

/** How many rows an archive's transactions settled, over all runs. */
export interface Compared {
  /** Rows that were scored: those that changed, and those that did not. */
  readonly rows: number;
  readonly changed: number;
}

/** Rows by customer, or by label, of an archive made with `rows: changed`. */
export interface ChangesSummary extends Compared {
  readonly customers: readonly {
    readonly customer: string;
    readonly rows: number;
    readonly changes: string;
  }[];
  /** Rows to whose decision a label now leads, and those to whose it does no longer. */
  readonly labels: readonly { readonly label: string; readonly gained: number; readonly lost: number }[];
}

/**
 * The changed rows with what they were: reasons of both decisions, and the scores of all labels in either. JSON paths take
 * labels in quotes, which no label has.
 */
const CHANGES = `
  with compared as (
    select *, json(metadata['${ARCHIVED}']) as was, from_json(json(metadata['${ARCHIVED}'])->'reasons', '["VARCHAR"]') as before
    from content where metadata['${ARCHIVED}'] is not null)
  select was->>'id' as id, customer, content_id, user_id, content_type, language, created_at,
    was->>'action' as old_action, action as new_action, before as old_reasons, reasons as new_reasons,
    list_transform(list_distinct(list_concat(coalesce(before, []), coalesce(reasons, []))), lambda label: struct_pack(
      label := label,
      old := round((was->>('$.scores."' || label || '"'))::double, 4),
      new := round((to_json(scores)->>('$."' || label || '"'))::double, 4))) as scores,
    was->>'model' as old_model, model as new_model, was->>'policy' as old_policy, policy as new_policy
  from compared`;

/** Writes all changes, sorted by customer and event time: under another name first, so that a file is whole or not there. */
export async function writeChanges({ root, file }: ChangesOptions): Promise<void> {
  const isParquet = file.endsWith('.parquet');
  const temporary = `${file}.${process.pid}.part`;
  const format = isParquet ? 'parquet, compression zstd' : 'json';
  const columns = isParquet
    ? '*'
    : `* replace (strftime(created_at at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') as created_at)`;
  try {
    await query(
      `copy (select ${columns} from (${CHANGES}) order by customer, created_at, id) to '${temporary.replaceAll("'", "''")}' (format ${format})`,
      { root },
    );
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Counts the changes of an archive. */
export async function summariseChanges(root: string, compared: Compared): Promise<ChangesSummary> {
  const customers = await query(
    `with counted as (
       select customer, old_action, new_action, count(*) as n from (${CHANGES}) group by all)
     select customer, sum(n)::bigint,
       string_agg(case when old_action = new_action then new_action || ' for other reasons'
         else old_action || ' → ' || new_action end || ' ' || n, ', ' order by n desc, old_action, new_action)
     from counted group by customer order by 2 desc, customer`,
    { root },
  );
  const labels = await query(
    `with changes as (${CHANGES}),
     gained as (select unnest(list_filter(new_reasons, lambda l: not list_contains(coalesce(old_reasons, []), l))) as label from changes),
     lost as (select unnest(list_filter(old_reasons, lambda l: not list_contains(coalesce(new_reasons, []), l))) as label from changes)
     select label, count(*) filter (kind = 'gained'), count(*) filter (kind = 'lost')
     from (select label, 'gained' as kind from gained union all select label, 'lost' from lost)
     group by label order by count(*) desc, label`,
    { root },
  );
  return {
    ...compared,
    customers: customers.rows.map(([customer, rows, changes]) => ({
      customer: String(customer),
      rows: Number(rows),
      changes: String(changes),
    })),
    labels: labels.rows.map(([label, gained, lost]) => ({
      label: String(label),
      gained: Number(gained),
      lost: Number(lost),
    })),
  };
}

/** Counts over all transactions of an archive whose unchanged rows were skipped. */
export async function comparedIn(store: Store): Promise<Compared> {
  let rows = 0;
  let changed = 0;
  for (const { id, finished } of await store.transactions()) {
    const manifest = finished ? await store.readManifest(id) : undefined;
    if (!manifest || manifest.undone) continue;
    for (const settled of manifest.transaction.partitions) {
      rows += settled.rows + settled.skipped;
      changed += settled.rows;
    }
  }
  return { rows, changed };
}
