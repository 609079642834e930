import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf, MisconfiguredError } from '../errors.ts';
import { createHashSet, type HashSet } from './hash-set.ts';
import type { HashListsConfig } from './hash-list-config.ts';
import { hashOf } from './normalise.ts';
import type { Listed } from './policy.ts';

/** Known content, which is decided without a model. */
export interface HashLists {
  /** Number of distinct hashes by the list's name. */
  readonly sizes: Readonly<Record<string, number>>;
  /** What each text is on, row by row; of several lists one that blocks, then the first. Undefined when no text is on any. */
  match(texts: readonly string[], customers: readonly string[]): (Listed | null)[] | undefined;
}

interface HashList {
  readonly listed: Listed;
  readonly hashes: HashSet;
  /** Undefined: all. */
  readonly customers: ReadonlySet<string> | undefined;
}

const OF_NOTHING = hash('sha256', '', 'buffer');
const HASH_DIGITS = 64;
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);
const LINE_END = 0x0a;
const COMMENT = 0x23;
/** Value of a hex digit by its byte, -1 for all other bytes. */
const NIBBLES = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte);
  return /[0-9a-f]/i.test(digit) ? Number.parseInt(digit, 16) : -1;
});
const OTHER_HASHES: Readonly<Record<number, string>> = { 32: 'MD5', 40: 'SHA-1', 128: 'SHA-512' };

/** Reads the lists, whose files are local by now. Throws MisconfiguredError, `file:line: expected …, got …`, never a text. */
export function loadHashLists(config: HashListsConfig): HashLists {
  const lists = Object.entries(config).map(([name, { file, action, customers }]): HashList => ({
    listed: { name, action },
    hashes: readHashList(file),
    customers: customers && new Set(customers),
  }));
  const sizes = Object.fromEntries(lists.map(({ listed, hashes }) => [listed.name, hashes.size]));
  const severe = lists.toSorted(
    (a, b) => Number(b.listed.action === 'block') - Number(a.listed.action === 'block'),
  );
  return {
    sizes,
    match(texts, customers) {
      if (severe.length === 0) return undefined;
      let matches: (Listed | null)[] | undefined;
      for (let row = 0; row < texts.length; row++) {
        const listed = matchOf(severe, texts[row]!, customers[row]!);
        if (listed === undefined) continue;
        matches ??= Array.from<Listed | null>({ length: texts.length }).fill(null);
        matches[row] = listed;
      }
      return matches;
    },
  };
}

function matchOf(lists: readonly HashList[], text: string, customer: string): Listed | undefined {
  let digest: Buffer | null | undefined;
  for (const { listed, hashes, customers } of lists) {
    if (customers && !customers.has(customer)) continue;
    digest = digest === undefined ? hashOf(text) : digest;
    if (digest && hashes.has(digest)) return listed;
  }
  return undefined;
}

/**
 * Reads a file of SHA-256 in hex, one a line; what follows a hash after white space is left alone, as are empty lines and those
 * that begin with `#`. Throws MisconfiguredError like {@link loadHashLists}.
 */
export function readHashList(file: string): HashSet {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    throw new MisconfiguredError(`${file}: expected a file of hashes, got ${messageOf(error)}`);
  }
  let lines = 1;
  for (let at = content.indexOf(LINE_END); at >= 0; at = content.indexOf(LINE_END, at + 1)) lines++;
  return createHashSet(lines, hashesIn(content, file));
}

/** Each hash in the same buffer, which must be read before the next one is asked for. */
function* hashesIn(content: Buffer, file: string): Generator<Buffer> {
  const digest = Buffer.alloc(HASH_DIGITS / 2);
  const isMarked = content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  for (let line = 1, from = isMarked ? BYTE_ORDER_MARK.length : 0; from < content.length; line++) {
    const found = content.indexOf(LINE_END, from);
    const end = found === -1 ? content.length : found;
    while (from < end && isSpace(content[from]!)) from++;
    if (from < end && content[from] !== COMMENT) {
      if (!readHex(content, from, end, digest)) {
        const digits = /^\S*/.exec(
          content.toString('latin1', from, Math.min(end, from + 4 * HASH_DIGITS)),
        )![0];
        const kind = /^[0-9a-f]+$/i.test(digits) ? OTHER_HASHES[digits.length] : undefined;
        throw new MisconfiguredError(
          `${file}:${line}: expected ${HASH_DIGITS} hex digits, the SHA-256 of a normalised text, got ${
            kind ?? `${digits.length} characters`
          }; \`sluice hash\` makes them of texts`,
        );
      }
      if (digest.equals(OF_NOTHING)) {
        throw new MisconfiguredError(
          `${file}:${line}: expected the hash of a text, got that of nothing, which all texts without visible characters have`,
        );
      }
      yield digest;
    }
    from = end + 1;
  }
}

/** Reads 64 hex digits that end before `end` with white space or there; false when it is not that. */
function readHex(content: Buffer, from: number, end: number, digest: Buffer): boolean {
  const after = from + HASH_DIGITS;
  if (after > end || (after < end && !isSpace(content[after]!))) return false;
  let known = 0;
  for (let i = 0; i < digest.length; i++) {
    const high = NIBBLES[content[from + 2 * i]!]!;
    const low = NIBBLES[content[from + 2 * i + 1]!]!;
    known |= high | low;
    digest[i] = (high << 4) | low;
  }
  // A single -1 makes it negative.
  return known >= 0;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}
