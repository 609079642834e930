import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const rowSchema = z.object({ metadata_location: z.string() });
const metadataSchema = z.object({
  snapshots: z
    .array(z.object({ 'sequence-number': z.number(), summary: z.record(z.string(), z.string()) }))
    .default([]),
});

/**
 * Rows of the only table of a catalog: the SQLite file of Iceberg's JdbcCatalog names the table's present metadata file
 * (https://iceberg.apache.org/spec/#table-metadata-fields). `fileOf` turns its location into a path. 0 before a snapshot.
 */
export function snapshotRows(catalog: string, fileOf: (location: string) => string): number {
  const database = new DatabaseSync(catalog, { readOnly: true });
  try {
    const row = rowSchema.parse(database.prepare('select metadata_location from iceberg_tables').get());
    const { snapshots } = metadataSchema.parse(
      JSON.parse(readFileSync(fileOf(row.metadata_location), 'utf8')),
    );
    const last = snapshots.toSorted((a, b) => a['sequence-number'] - b['sequence-number']).at(-1);
    return Number(last?.summary['total-records'] ?? 0);
  } finally {
    database.close();
  }
}
