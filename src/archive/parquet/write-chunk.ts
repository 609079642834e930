import type { ColumnChunk, CompressionCodec, OffsetIndex } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { freeWhole } from '../../memory.ts';
import { bitWidth, writeHybrid, writeRun } from './bits.ts';
import type { Bounds, Chunk, Levels } from './chunk.ts';
import { GrowingBytes } from './growing-bytes.ts';
import type { Leaf } from './leaves.ts';

/** How pages are compressed. */
export interface Compression {
  readonly codec: CompressionCodec;
  compress(bytes: Uint8Array): Uint8Array;
}

/** What is written of a column chunk: its bytes, and what the file's metadata says of it. */
export interface WrittenChunk {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly chunk: ColumnChunk;
  readonly offsetIndex: OffsetIndex;
  /** Bounds of each page, where rows grow with the column. */
  readonly pageBounds: readonly Bounds[] | undefined;
}

/** A chunk of at most so many bytes is not compressed: that costs more than it saves. */
const SMALL = 256;

interface Page {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly entries: number;
  readonly firstRow: number;
}

/**
 * Writes the chunk of a row group's rows as pages of `pageRows` rows (data page format 1; Parquet's README). `offset` is
 * where it begins in the file.
 */
export function writeChunk(
  leaf: Leaf,
  rows: Int32Array,
  { offset, pageRows, compression }: { offset: number; pageRows: number; compression: Compression },
): WrittenChunk {
  const { levels, values } = leaf.read(rows);
  const pages: Page[] = [];
  const pageBounds: Bounds[] = [];
  let value = 0;
  for (let firstRow = 0; firstRow < rows.length; firstRow += pageRows) {
    const endRow = Math.min(rows.length, firstRow + pageRows);
    const from = levels.starts?.[firstRow] ?? firstRow;
    const to = levels.starts?.[endRow] ?? endRow;
    const body = new GrowingBytes(256 + Math.ceil((to - from) * (values.valueBytes * 1.1 + 0.25)));
    const present = writeLevels(body, levels, { from, to, leaf });
    values.write(body, value, value + present);
    const bounds = values.pageBounds?.(value, value + present);
    if (bounds) pageBounds.push(bounds);
    value += present;
    pages.push({ body: body.written(), entries: to - from, firstRow });
  }
  return {
    ...layOut({ levels, values }, pages, { leaf, offset, compression }),
    pageBounds: pageBounds.length === pages.length ? pageBounds : undefined,
  };
}

/** Repetition levels, then definition levels, each with its length before it; returns how many entries have a value. */
function writeLevels(
  output: GrowingBytes,
  { repetition, definition }: Levels,
  { from, to, leaf }: { from: number; to: number; leaf: Leaf },
): number {
  const { maxRepetition, maxDefinition } = leaf;
  const withLength = (write: () => void) => {
    const at = output.position;
    output.uint32(0);
    write();
    output.setUint32(at, output.position - at - 4);
  };
  if (maxRepetition > 0)
    withLength(() => writeHybrid(output, repetition!.subarray(from, to), bitWidth(maxRepetition)));
  if (maxDefinition === 0) return to - from;
  const width = bitWidth(maxDefinition);
  if (!definition) {
    withLength(() => writeRun(output, maxDefinition, to - from, width));
    return to - from;
  }
  withLength(() => writeHybrid(output, definition.subarray(from, to), width));
  let present = 0;
  for (let i = from; i < to; i++) if (definition[i] === maxDefinition) present++;
  return present;
}

function layOut(
  { levels, values }: Chunk,
  pages: readonly Page[],
  { leaf, offset, compression }: { leaf: Leaf; offset: number; compression: Compression },
): Omit<WrittenChunk, 'pageBounds'> {
  const { dictionary, encoding, bounds } = values;
  const size = pages.reduce((sum, { body }) => sum + body.length, dictionary?.bytes.length ?? 0);
  const isCompressed = compression.codec !== 'UNCOMPRESSED' && size > SMALL;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let uncompressed = 0;
  const add = (body: Uint8Array<ArrayBuffer>, header: PageKind): number => {
    const content = isCompressed ? compression.compress(body) : body;
    const { length } = body;
    // Pages of a file add up to tens of megabytes, which the collector would let pile up.
    if (isCompressed && header.type === 'DATA_PAGE') freeWhole(body);
    const writer = new ByteWriter(64);
    const sizes = { uncompressed_page_size: length, compressed_page_size: content.length };
    writePageHeader(writer, { ...header, ...sizes });
    const head = writer.getBytes();
    parts.push(head, content);
    bytes += head.length + content.length;
    uncompressed += head.length + length;
    return head.length + content.length;
  };
  if (dictionary) {
    const { count } = dictionary;
    add(dictionary.bytes, {
      type: 'DICTIONARY_PAGE',
      dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
    });
  }
  const first = offset + bytes;
  const offsetIndex: OffsetIndex = { page_locations: [] };
  for (const { body, entries, firstRow } of pages) {
    const at = offset + bytes;
    const written = add(body, {
      type: 'DATA_PAGE',
      data_page_header: {
        num_values: entries,
        encoding,
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    });
    offsetIndex.page_locations.push({
      offset: BigInt(at),
      compressed_page_size: written,
      first_row_index: BigInt(firstRow),
    });
  }
  const chunk: ColumnChunk = {
    file_offset: BigInt(offset),
    meta_data: {
      type: leaf.element.type!,
      encodings: [...new Set([encoding, 'RLE', ...(dictionary ? ['PLAIN' as const] : [])] as const)],
      path_in_schema: [...leaf.path],
      codec: isCompressed ? compression.codec : 'UNCOMPRESSED',
      num_values: BigInt(levels.entries),
      total_uncompressed_size: BigInt(uncompressed),
      total_compressed_size: BigInt(bytes),
      data_page_offset: BigInt(first),
      ...(dictionary ? { dictionary_page_offset: BigInt(offset) } : {}),
      statistics: {
        null_count: BigInt(levels.nulls),
        ...(bounds ? { min_value: bounds.min, max_value: bounds.max } : {}),
      },
    },
  };
  return { parts, bytes, chunk, offsetIndex };
}

type PageKind = Omit<
  Parameters<typeof writePageHeader>[1],
  'uncompressed_page_size' | 'compressed_page_size'
>;
