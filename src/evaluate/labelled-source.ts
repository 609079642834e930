/** Rows with named columns: a file, or an archive's content with what moderators said of it. */
export interface LabelledSource {
  /** As errors name it. */
  readonly place: string;
  readonly columns: readonly string[];
  /**
   * Rows, some at a time: the columns `texts` as text, then the columns `values` as JSON would have them; null where a
   * column is undefined or a cell is empty. `where` is a condition of SQL. Throws InputError when they cannot be read.
   */
  read(wanted: WantedColumns): AsyncIterable<readonly (readonly unknown[])[]>;
}

/** See {@link LabelledSource.read}. */
export interface WantedColumns {
  readonly texts: readonly (string | undefined)[];
  readonly values: readonly (string | undefined)[];
  readonly where: string | undefined;
}
