import type { Encoding } from 'hyparquet';
import type { GrowingBytes } from './growing-bytes.ts';

/** A bound of a column's statistics: text as its bytes, 64-bit numbers as bigint. */
export type Bound = Uint8Array | bigint | number | boolean;

/** Least and greatest value. */
export interface Bounds {
  readonly min: Bound;
  readonly max: Bound;
}

/** The values of a column chunk that are not null, ready to be written in pages. */
export interface ChunkValues {
  readonly encoding: Encoding;
  /** What its indices point into: distinct values in PLAIN encoding, and how many. */
  readonly dictionary?: { readonly bytes: Uint8Array<ArrayBuffer>; readonly count: number };
  /** About the bytes of a value as it is written. */
  readonly valueBytes: number;
  /** Appends the values [from, to). */
  write(output: GrowingBytes, from: number, to: number): void;
  /** Of all values; absent where there are none, or where they help no filter. */
  readonly bounds?: Bounds | undefined;
  /** Of the values [from, to), for the page index; present where rows grow with it. */
  pageBounds?(from: number, to: number): Bounds | undefined;
}

/** Where a column chunk has values: the levels of Dremel's record shredding (Parquet's README, "Nested Encoding"). */
export interface Levels {
  /** Entries: rows, or items of lists, where a null or empty list is one too. */
  readonly entries: number;
  /** Entries without a value. */
  readonly nulls: number;
  /** Absent: all have a value. */
  readonly definition?: Uint8Array;
  /** Absent: an entry each row. */
  readonly repetition?: Uint8Array;
  /** Where lists begin: the first entry of each row, then the number of entries. */
  readonly starts?: Int32Array;
}

/** One column chunk: a leaf's values for the rows of a row group. */
export interface Chunk {
  readonly levels: Levels;
  readonly values: ChunkValues;
}
