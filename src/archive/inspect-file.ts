import { CorruptError, messageOf } from '../errors.ts';
import type { Position, PreparedFile } from '../types.ts';
import type { DeadLetterLine } from './dead-letters.ts';
import { checksum } from './encode.ts';
import { parquetOrigin, readRowPositions } from './parquet-positions.ts';
import { dayOf, encodeValue, HIVE_NULL, hourOf } from './shard.ts';
import { tableOfKey } from './tables.ts';
import type { OnViolation, ViolationKind } from './violation.ts';

/** Called with the position of each row or dead letter of a file, in their order in it. */
export type OnPosition = (topic: string, partition: number, offset: number) => void;

/**
 * Holds one file against what its transaction's manifest and its path say of it: size, checksum, rows, customer, days and
 * times. Returns whether all of its positions were handed to `onPosition`, and so can be counted on.
 */
export async function inspectFile(
  file: PreparedFile,
  transaction: string,
  content: Uint8Array<ArrayBuffer> | undefined,
  onPosition: OnPosition,
  onViolation: OnViolation,
): Promise<boolean> {
  const found = (kind: ViolationKind, detail: string, at?: Position) => {
    const where = at && { topic: at.topic, partition: at.partition, from: at.offset, to: at.offset + 1 };
    onViolation({ kind, transaction, file: file.key, ...where, detail });
    return false;
  };
  if (!content) return found('file_missing', `expected ${file.bytes} bytes, got no file`);
  if (content.length !== file.bytes)
    return found('file_size', `expected ${file.bytes} bytes, got ${content.length}`);
  const crc32 = checksum(content);
  if (crc32 !== file.crc32) return found('file_checksum', `expected CRC-32 ${file.crc32}, got ${crc32}`);
  const inspect = file.kind === 'dead_letters' ? inspectDeadLetters : inspectShard;
  try {
    const rows = await inspect(file, transaction, content, onPosition, found);
    if (rows === file.rows) return true;
    return found(
      'wrong_count',
      `expected ${file.rows} ${file.kind === 'dead_letters' ? 'lines' : 'rows'}, got ${rows}`,
    );
  } catch (error) {
    return found('file_unreadable', messageOf(error));
  }
}

type Found = (kind: ViolationKind, detail: string, at?: Position) => boolean;

async function inspectShard(
  file: PreparedFile,
  transaction: string,
  content: Uint8Array<ArrayBuffer>,
  onPosition: OnPosition,
  found: Found,
): Promise<number> {
  const origin = parquetOrigin(content);
  if (origin.transaction !== transaction)
    found('file_foreign', `expected ${transaction} in its metadata, got ${origin.transaction ?? 'none'}`);
  // Files of before there were several tables do not name theirs.
  const { table = 'content' } = origin;
  if (table !== file.kind || tableOfKey(file.key).name !== file.kind)
    found(
      'wrong_table',
      `expected a file of table ${file.kind} in the folder of that table, got one of ${table} in ${file.key}`,
    );
  const place = placeOf(file.key);
  const customer = file.customer?.toWellFormed(); // UTF-8 cannot hold a lone surrogate.
  if (place.customer !== (file.customer === undefined ? undefined : encodeValue(file.customer))) {
    found('wrong_customer', `expected a path of customer ${JSON.stringify(file.customer)}, got ${file.key}`);
  }
  const strangers = createStreak(
    found,
    'wrong_customer',
    `expected rows of ${JSON.stringify(customer)} only`,
  );
  const misplaced = createStreak(found, 'wrong_day', `expected event times of ${place.day} only`);
  let rows = 0;
  let least = Infinity;
  let most = -Infinity;
  for await (const group of readRowPositions(content)) {
    rows += group.rows;
    for (let row = 0; row < group.rows; row++) {
      const topic = group.topic[row]!;
      const partition = group.partition[row]!;
      const offset = group.offset[row]!;
      onPosition(topic, partition, offset);
      if (customer !== undefined && group.customer[row] !== customer)
        strangers.add({ topic, partition, offset }, JSON.stringify(group.customer[row]));
      const time = group.createdAt[row]!;
      least = Math.min(least, time);
      most = Math.max(most, time);
      if (!place.holds(time)) misplaced.add({ topic, partition, offset }, timeText(time));
    }
  }
  strangers.end();
  misplaced.end();
  if (least !== (file.minCreatedAt ?? least) || most !== (file.maxCreatedAt ?? most)) {
    const expected = `${timeText(file.minCreatedAt ?? NaN)} to ${timeText(file.maxCreatedAt ?? NaN)}`;
    found(
      'wrong_times',
      `expected event times from ${expected}, got ${timeText(least)} to ${timeText(most)}`,
    );
  }
  return rows;
}

/** One violation for all rows of a file with the same fault: where the first is, and how many. */
function createStreak(found: Found, kind: ViolationKind, expectation: string) {
  let first: { readonly at: Position; readonly value: string } | undefined;
  let count = 0;
  return {
    add(at: Position, value: string) {
      first ??= { at, value };
      count++;
    },
    end() {
      if (!first) return;
      const more = count > 1 ? ` and ${count - 1} more rows` : '';
      found(kind, `${expectation}, got ${first.value}${more}`, first.at);
    },
  };
}

/** What the path of a shard file says of its rows. */
function placeOf(key: string) {
  const segments = new Map(
    key
      .split('/')
      .slice(0, -1)
      .map((segment) => [segment.slice(0, segment.indexOf('=')), segment.slice(segment.indexOf('=') + 1)]),
  );
  const dt = segments.get('dt');
  const hour = segments.get('hour');
  const withHour = hour !== undefined && dt !== HIVE_NULL;
  const day = withHour ? `${dt}/${hour}` : dt;
  const keys = withHour ? (['day', 'hour'] as const) : (['day'] as const);
  // Rows are in order of time: nearly all are of the hour of the row before.
  let lastHour = NaN;
  let lastFits = false;
  return {
    customer: segments.get('customer'),
    day,
    holds(createdAt: number): boolean {
      if (day === undefined) return true;
      const at = hourOf(createdAt);
      if (at !== lastHour) [lastHour, lastFits] = [at, dayOf(at, keys) === day];
      return lastFits;
    },
  };
}

function inspectDeadLetters(
  file: PreparedFile,
  transaction: string,
  content: Uint8Array<ArrayBuffer>,
  onPosition: OnPosition,
  found: Found,
): Promise<number> {
  const name = file.key.slice(file.key.lastIndexOf('/') + 1);
  if (name !== `${transaction}.jsonl`) found('file_foreign', `expected ${transaction}.jsonl, got ${name}`);
  const { day } = placeOf(file.key);
  const misplaced = createStreak(found, 'wrong_day', `expected dead letters received on ${day} only`);
  let lines = 0;
  // Bytes, line by line: the engine's strings end at half a gigabyte.
  for (let start = 0; start < content.length; lines++) {
    const end = content.indexOf(0x0a, start);
    if (end < 0)
      throw new CorruptError(`expected lines that end, got ${content.length - start} bytes behind the last`);
    const line = parseLine(content.subarray(start, end), lines + 1);
    const { topic, partition, offset, received_at } = line;
    start = end + 1;
    // What a sink refused is a decision: its message is settled by its row.
    if (line.stage !== 'deliver') onPosition(topic, partition, offset);
    if (received_at.slice(0, 10) !== day) misplaced.add({ topic, partition, offset }, received_at);
  }
  misplaced.end();
  return Promise.resolve(lines);
}

function parseLine(
  line: Uint8Array,
  number: number,
): Pick<DeadLetterLine, 'topic' | 'partition' | 'offset' | 'stage' | 'received_at'> {
  try {
    const value = JSON.parse(
      Buffer.from(line.buffer, line.byteOffset, line.length).toString(),
    ) as DeadLetterLine;
    const { topic, partition, offset, received_at } = value;
    const isText = typeof topic === 'string' && typeof received_at === 'string';
    if (isText && Number.isInteger(partition) && Number.isInteger(offset)) return value;
  } catch {
    // What it is then, the error says.
  }
  throw new CorruptError(`expected a dead letter as JSON in line ${number}, got something else`);
}

function timeText(micros: number): string {
  const date = new Date(micros / 1000);
  return Number.isNaN(date.getTime()) ? `${micros} µs` : date.toISOString();
}
