import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { hashListsConfig } from '../../src/classify/hash-list-config.ts';
import { loadHashLists, readHashList } from '../../src/classify/hash-list.ts';
import { createHashSet } from '../../src/classify/hash-set.ts';
import { hashOf } from '../../src/classify/normalise.ts';
import { MisconfiguredError } from '../../src/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'hash-list-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;
const fileOf = (content: string | Buffer) => {
  const file = join(directory, `list-${files++}.txt`);
  writeFileSync(file, content);
  return file;
};
const hex = (text: string) => hashOf(text)!.toString('hex');
const sha256 = (text: string) => createHash('sha256').update(text).digest();

describe('loadHashLists', () => {
  it('finds texts after normalisation, and only those', () => {
    const lists = loadHashLists({
      scam: { file: fileOf(`${hex('buy now')}\n${hex('win money')}\n`), action: 'block' },
    });
    expect(lists.sizes).toEqual({ scam: 2 });
    const texts = ['BUY\u200b now ', 'buy  it now', 'Win Money', ''];
    expect(
      lists.match(
        texts,
        texts.map(() => 'acme'),
      ),
    ).toEqual([{ name: 'scam', action: 'block' }, null, { name: 'scam', action: 'block' }, null]);
    expect(lists.match(['hello'], ['acme'])).toBeUndefined();
    expect(loadHashLists({}).match(texts, texts)).toBeUndefined();
  });

  it('takes a list that blocks before one that sends to review, and lists for the customers that they name', () => {
    const both = fileOf(hex('known'));
    const lists = loadHashLists({
      watched: { file: both, action: 'review' },
      banned: { file: both, action: 'block', customers: ['acme', 'globex'] },
      outlawed: { file: both, action: 'block', customers: ['globex'] },
    });
    const names = lists.match(['known', 'known', 'known'], ['other', 'acme', 'globex']);
    expect(names?.map((listed) => listed?.name)).toEqual(['watched', 'banned', 'banned']);
  });
});

describe('readHashList', () => {
  it('reads comments, empty lines, names after hashes, either case and line end, and a byte order mark', () => {
    const list = readHashList(
      fileOf(
        `\ufeff# made today\n\n${hex('a')}  a.txt\r\n  ${hex('b').toUpperCase()}\t# why\n\t\n${hex('a')}\n${hex('c')}`,
      ),
    );
    expect(list.size).toBe(3);
    for (const text of ['a', 'b', 'c']) expect(list.has(hashOf(text)!)).toBe(true);
    expect(list.has(hashOf('d')!)).toBe(false);
    expect(readHashList(fileOf('')).size).toBe(0);
    expect(readHashList(fileOf('')).has(hashOf('d')!)).toBe(false);
  });

  it.each([
    [
      `${hex('a')}\n\nsome text that is secret\n`,
      ':3: expected 64 hex digits, the SHA-256 of a normalised text, got 4 characters; `sluice hash` makes them of texts',
    ],
    [
      `# hashes\n${'0'.repeat(32)}`,
      ':2: expected 64 hex digits, the SHA-256 of a normalised text, got MD5; `sluice hash` makes them of texts',
    ],
    [
      `${hex('a')}0`,
      ':1: expected 64 hex digits, the SHA-256 of a normalised text, got 65 characters; `sluice hash` makes them of texts',
    ],
    [
      `${hex('a').slice(1)}g`,
      ':1: expected 64 hex digits, the SHA-256 of a normalised text, got 64 characters; `sluice hash` makes them of texts',
    ],
    [
      sha256('').toString('hex'),
      ':1: expected the hash of a text, got that of nothing, which all texts without visible characters have',
    ],
  ])('refuses %j', (content, message) => {
    const file = fileOf(content);
    expect(() => readHashList(file)).toThrow(MisconfiguredError);
    expect(() => readHashList(file)).toThrow(new MisconfiguredError(`${file}${message}`));
  });

  it('refuses a file that is not there', () => {
    expect(() => readHashList(join(directory, 'none'))).toThrow(
      /none: expected a file of hashes, got ENOENT/,
    );
  });
});

describe('createHashSet', () => {
  it('has what was added and nothing else, for any hashes', () => {
    // Few first bytes, so that hashes collide in the table, at its end too.
    const hash = fc
      .tuple(fc.constantFrom(0, 1, 0x80000000, 0xffffffff), fc.nat(3), fc.nat(1), fc.nat(2))
      .map((words) => {
        const bytes = Buffer.alloc(16);
        words.forEach((word, i) => bytes.writeUInt32BE(word, i * 4));
        return bytes;
      });
    // A last word of 0 is taken as 1.
    const identity = (bytes: Buffer) => bytes.toString('hex').replace(/00000000$/, '00000001');
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 60 }), fc.array(hash), (added, asked) => {
        const set = createHashSet(added.length, added);
        const expected = new Set(added.map(identity));
        expect(set.size).toBe(expected.size);
        for (const bytes of [...added, ...asked]) expect(set.has(bytes)).toBe(expected.has(identity(bytes)));
      }),
    );
  });
});

describe('hashListsConfig', () => {
  it('refuses the name of another reason', () => {
    const parsed = hashListsConfig.safeParse({ unsupported_language: { file: 'a', action: 'block' } });
    expect(parsed.success).toBe(false);
    expect(hashListsConfig.safeParse({ known: { file: 'a', action: 'allow' } }).success).toBe(false);
  });
});
