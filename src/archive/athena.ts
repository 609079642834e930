import { checkCatalogNames } from './catalog-names.ts';
import { catalogTable, type CatalogTableOptions } from './catalog-table.ts';

/** What the DDL depends on. */
export type DdlOptions = Omit<CatalogTableOptions, 'location'> & { readonly location?: string | undefined };

/**
 * `CREATE EXTERNAL TABLE` for Athena with partition projection, so that no crawler is needed. Columns that the path names
 * are partition columns only; `scores` is left out without labels. Without a location, one that is to be filled in. Throws
 * MisconfiguredError for a name or a place that Athena cannot use.
 */
export function athenaDdl(options: DdlOptions): string {
  checkCatalogNames(options);
  const { name, location, columns, partitions, parameters, unnameable } = catalogTable({
    ...options,
    location: options.location ?? 's3://BUCKET/PREFIX/',
  });
  const properties = Object.entries(parameters);
  const notes = ['-- Queries should always name dt: each candidate partition costs one LIST.'];
  if (partitions.some((partition) => partition.name === 'customer')) {
    notes.push(
      "-- customer is injected: every query needs customer = '…', as it stands in the path: an id with other characters",
      '-- than letters, digits, - and _ is percent-encoded there.',
    );
  }
  if (unnameable.length > 0) {
    notes.push(`-- Not in scores, because Athena cannot name them: ${JSON.stringify(unnameable)}`);
  }
  return [
    ...notes,
    `CREATE EXTERNAL TABLE ${quoted(name)} (`,
    columns
      .map((column) => `  ${quoted(column.name)} ${quotedFields(column.type)} COMMENT '${column.comment}'`)
      .join(',\n'),
    ')',
    ...(partitions.length > 0
      ? [`PARTITIONED BY (${partitions.map((column) => `${quoted(column.name)} ${column.type}`).join(', ')})`]
      : []),
    'STORED AS PARQUET',
    `LOCATION '${location}'`,
    ...(properties.length > 0
      ? ['TBLPROPERTIES (', properties.map(([key, value]) => `  '${key}' = '${value}'`).join(',\n'), ')']
      : []),
  ]
    .join('\n')
    .concat(';');
}

/** A field may be called what is a reserved word in DDL. */
function quotedFields(type: string): string {
  return type.replace(/(?<=[<,])[^<>:,]+(?=:)/g, quoted);
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
