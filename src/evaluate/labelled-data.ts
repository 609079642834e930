import { stat } from 'node:fs/promises';
import { InputError, messageOf, MisconfiguredError } from '../errors.ts';
import { createGatherer, type Gatherer } from './gather-rows.ts';
import { layoutOf, type LayoutOptions } from './label-layout.ts';
import { openLabelledFile } from './labelled-file.ts';
import type { LabelledSource } from './labelled-source.ts';
import { openModeratedContent, type ModeratedContentOptions } from './moderated-content.ts';
import { namesOf, truthAmong, truthOf } from './truth.ts';

/** Texts whose truth is known. Entry i of each array belongs to the same text. */
export interface LabelledData {
  readonly rows: number;
  readonly text: readonly string[];
  /** BCP 47 tag as the data names it, else null. */
  readonly language: readonly (string | null)[];
  /** Customer as the data names it, else the empty string: the default policy's. */
  readonly customer: readonly string[];
  /** Label → how true it is of each row: 0..1, NaN where nobody said. Only labels that some row says something of. */
  readonly truth: ReadonlyMap<string, Float32Array>;
  /** Rows left out, since they have no text. */
  readonly empty: number;
}

/** Which files, and where in them things stand. */
export interface LabelledDataOptions extends LayoutOptions, Partial<ModeratedContentOptions> {
  /**
   * `.parquet`, `.jsonl`, `.ndjson`, `.csv`, `.tsv` (with a header), text formats also `.gz` or `.zst`, glob patterns; or the
   * directory of an archive, of which the content that moderators judged is read.
   */
  readonly paths: readonly string[];
  /** SQL condition (DuckDB's) on the columns: only rows that fulfil it. */
  readonly where?: string;
}

/**
 * Reads labelled data with DuckDB: a text column and, for each label, a column of 0/1, booleans or shares of annotators
 * (null: unknown), or one column `labels` that lists those which hold. Files may differ in which labels they know. Throws
 * InputError when a file cannot be read or a value is none, MisconfiguredError when a column is missing, or an archive for times.
 */
export async function readLabelledData(options: LabelledDataOptions): Promise<LabelledData> {
  const gathered = createGatherer();
  let isBounded = options.from === undefined && options.to === undefined;
  const duckdb = await import('@duckdb/node-api');
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    threads: '2',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    try {
      for (const path of options.paths) {
        const isArchive = (await stat(path).catch(() => undefined))?.isDirectory();
        const source = isArchive
          ? openModeratedContent(path, { ...options, harmless: options.harmless ?? [] })
          : await openLabelledFile(connection, path);
        isBounded ||= isArchive === true;
        await readSource(source, options, gathered);
        gathered.endSource();
      }
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
  if (!isBounded)
    throw new MisconfiguredError(
      `--from, --to: expected the directory of an archive in --data, whose feedback has times, got ${options.paths.join(', ')}; --where chooses rows of files`,
    );
  return gathered.data();
}

async function readSource(
  source: LabelledSource,
  options: LabelledDataOptions,
  gathered: Gatherer,
): Promise<void> {
  const { place, columns } = source;
  const { text, language, customer, list, listed, labels } = layoutOf(place, columns, options);
  const values = [list, ...labels.map(({ column }) => column)];
  let row = 0;
  for await (const rows of source.read({ texts: [text, language, customer], values, where: options.where })) {
    for (const [words, tag, whose, names, ...cells] of rows) {
      row++;
      try {
        gathered.add({
          text: (words as string | null) ?? '',
          language: (tag as string | null)?.trim() || null,
          customer: (whose as string | null) ?? '',
          names: list === undefined ? undefined : namesOf(names),
          listed,
          truths: labels.map(({ label, values: yes }, i) => [
            label,
            yes ? truthAmong(cells[i], yes) : truthOf(cells[i]),
          ]),
        });
      } catch (error) {
        throw new InputError(`${place}: row ${row}: ${messageOf(error)}`, { cause: error });
      }
    }
  }
}
