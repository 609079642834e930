import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { content, hostileCustomers, labelledContent } from '../../benchmarks/content.ts';
import type { ContentOptions } from '../../benchmarks/content.ts';

const script = fileURLToPath(new URL('../../benchmarks/content.ts', import.meta.url));
const sample = new URL('../../sample/content.jsonl.gz', import.meta.url);
const sampleOptions: ContentOptions = { messages: 25_000, seed: 1 };
const items = [...labelledContent(sampleOptions)];
const whole = items.filter(({ kind }) => kind !== 'broken');

function digest(options: ContentOptions): string {
  const hash = createHash('sha256');
  for (const bytes of content(options)) hash.update(bytes).update('\n');
  return hash.digest('hex');
}

function parse(bytes: Buffer): Record<string, unknown> {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('not an object');
  return { ...value };
}

function isDate(value: unknown): boolean {
  return (typeof value === 'string' || typeof value === 'number') && !Number.isNaN(new Date(value).getTime());
}

function share(test: (item: (typeof items)[number]) => boolean): number {
  return items.filter(test).length / items.length;
}

/** A value of a sorted list at a quantile. */
function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.floor(at * (sorted.length - 1))] ?? 0;
}

describe('content', () => {
  it('gives the same bytes for the same options, and others for another seed', () => {
    const options = { messages: 2000, seed: 7, customers: 20, broken: 0.05 };
    expect(digest(options)).toBe(digest(options));
    expect(digest({ ...options, seed: 8 })).not.toBe(digest(options));
  });

  it('writes what the sample file holds', () => {
    const text = gunzipSync(readFileSync(sample));
    expect(readFileSync(sample).length).toBeLessThan(2_500_000);
    expect(createHash('sha256').update(text).digest('hex')).toBe(digest(sampleOptions));
    expect(readFileSync(new URL('README.md', sample), 'utf8')).toContain(
      `--messages ${sampleOptions.messages} --seed 1`,
    );
  });

  it('never puts a newline into a line', () => {
    expect(items.every(({ bytes }) => !bytes.includes(10))).toBe(true);
  });

  it('has at least 24 languages in many scripts', () => {
    const counts = new Map<string, number>();
    for (const { language } of items) counts.set(language, (counts.get(language) ?? 0) + 1);
    expect(counts.size).toBeGreaterThanOrEqual(36);
    expect(Math.min(...counts.values())).toBeGreaterThan(20);
    const all = Buffer.concat(whole.map(({ bytes }) => bytes)).toString();
    for (const name of [
      'Latin',
      'Cyrillic',
      'Arabic',
      'Hebrew',
      'Devanagari',
      'Bengali',
      'Tamil',
      'Telugu',
      'Kannada',
      'Malayalam',
      'Gujarati',
      'Gurmukhi',
      'Thai',
      'Hiragana',
      'Hangul',
      'Han',
    ]) {
      expect(all).toMatch(new RegExp(`\\p{Script=${name}}{2}`, 'u'));
    }
    const ethiopic = whole.find(({ language }) => language === 'am');
    expect(parse(ethiopic?.bytes ?? Buffer.alloc(0))['text']).toMatch(/\p{Script=Ethiopic}/u);
  });

  it('shares messages among customers like Zipf, some in long runs', () => {
    const counts = new Map<string, number>();
    const runs = new Map<string, number>();
    let run = 0;
    items.forEach(({ customer }, index) => {
      counts.set(customer, (counts.get(customer) ?? 0) + 1);
      run = customer === items[index - 1]?.customer ? run + 1 : 1;
      runs.set(customer, Math.max(runs.get(customer) ?? 0, run));
    });
    const sorted = [...counts.values()].toSorted((a, b) => b - a);
    expect(counts.size).toBe(50);
    expect((sorted[0] ?? 0) / items.length).toBeGreaterThan(0.15);
    expect(sorted.slice(0, 10).reduce((sum, count) => sum + count, 0) / items.length).toBeGreaterThan(0.55);
    expect(runs.get('bazaar')).toBeGreaterThanOrEqual(150);
    expect(runs.get('forum-nord')).toBeLessThan(10);
  });

  it('has about 6 per cent harmful messages, mostly English', () => {
    expect(share(({ kind }) => ['toxic', 'hate', 'spam'].includes(kind))).toBeCloseTo(0.06, 2);
    for (const kind of ['toxic', 'hate', 'spam', 'look-alike'])
      expect(share((item) => item.kind === kind)).toBeGreaterThan(0.008);
    const harmful = items.filter(({ kind }) => ['toxic', 'hate', 'spam'].includes(kind));
    expect(harmful.filter(({ language }) => language === 'en').length / harmful.length).toBeGreaterThan(0.5);
    const languages = new Set(harmful.map(({ language }) => language));
    expect([...languages].toSorted()).toEqual([
      'ar',
      'de',
      'en',
      'es',
      'hi',
      'hi-Latn',
      'ko',
      'ur-Latn',
      'zh',
    ]);
  });

  it('has texts of the promised lengths, few of them twice', () => {
    const spaced = whole.filter(({ language }) => !['zh', 'ja', 'th'].includes(language));
    const words = spaced
      .map(({ bytes }) => String(parse(bytes)['text']).split(/\s+/).length)
      .toSorted((a, b) => a - b);
    expect(quantile(words, 0.5)).toBeGreaterThanOrEqual(16);
    expect(quantile(words, 0.5)).toBeLessThanOrEqual(24);
    expect(quantile(words, 0.95) / quantile(words, 0.5)).toBeGreaterThan(3.2);
    expect(quantile(words, 0.95) / quantile(words, 0.5)).toBeLessThan(4.8);
    expect(quantile(words, 1)).toBeGreaterThan(250);
    expect(quantile(words, 0.02)).toBeLessThanOrEqual(3);
    const texts = new Set(whole.map(({ bytes }) => parse(bytes)['text']));
    expect(1 - texts.size / whole.length).toBeLessThan(0.07);
  });

  it('writes well-formed messages with the fields in all their forms', () => {
    const messages = whole.map(({ bytes }) => parse(bytes));
    for (const message of messages) {
      expect(typeof message['text'] === 'string' && message['text'] !== '').toBe(true);
      expect(typeof message['customer']).toBe('string');
      expect(isDate(message['created_at'])).toBe(true);
    }
    const missing = messages.filter(({ lang }) => lang === undefined).length / messages.length;
    expect(missing).toBeGreaterThan(0.25);
    expect(missing).toBeLessThan(0.4);
    const has = (test: (message: Record<string, unknown>) => boolean): boolean => messages.some(test);
    expect(has(({ created_at }) => Number(created_at) > 1e12)).toBe(true);
    expect(has(({ created_at }) => Number(created_at) < 1e10)).toBe(true);
    expect(has(({ created_at }) => String(created_at).endsWith('+05:30'))).toBe(true);
    for (const name of ['metadata', 'device', 'geo', 'reply_to'])
      expect(has((message) => name in message)).toBe(true);
    expect(has(({ text }) => String(text).includes('\u0000'))).toBe(true);
    expect(has(({ text }) => String(text).includes('\u200d'))).toBe(true);
    expect(has(({ text }) => String(text).includes('\u200f'))).toBe(true);
    expect(has(({ text }) => /\n/.test(String(text)))).toBe(true);
    const hostile = messages.filter(({ customer }) =>
      (hostileCustomers as readonly unknown[]).includes(customer),
    ).length;
    expect(hostile).toBeGreaterThan(0);
    expect(hostile).toBeLessThan(25);
  });

  it('has messages that arrive late, by minutes and by more than a day', () => {
    let latest = 0;
    const late = [0, 0];
    for (const { bytes, customer } of whole) {
      if (customer !== 'acme-social') continue;
      const time = Date.parse(String(parse(bytes)['created_at']));
      if (latest - time > 60_000) late[0] = (late[0] ?? 0) + 1;
      if (latest - time > 86_400_000) late[1] = (late[1] ?? 0) + 1;
      latest = Math.max(latest, time);
    }
    expect(late[0]).toBeGreaterThan(100);
    expect(late[1]).toBeGreaterThan(2);
    expect(late[1]).toBeLessThan(40);
  });

  it('gives every message of a customer its own id, some above 2^53', () => {
    const seen = new Set<string>();
    let large = 0;
    for (const { bytes, customer } of whole) {
      const id = /^\{"id": ?("[^"]+"|\d+),/.exec(bytes.toString())?.[1] ?? '';
      if (/^\d/.test(id) && BigInt(id) > 2n ** 53n) large++;
      seen.add(`${customer} ${id}`);
    }
    expect(seen.size).toBe(whole.length);
    expect(large).toBeGreaterThan(500);
  });

  it('breaks the share of messages that was asked for', () => {
    expect(share(({ kind }) => kind === 'broken')).toBeGreaterThan(0.001);
    expect(share(({ kind }) => kind === 'broken')).toBeLessThan(0.003);
    const many = [...labelledContent({ messages: 4000, broken: 0.25 })];
    expect(many.filter(({ kind }) => kind === 'broken').length / many.length).toBeCloseTo(0.25, 1);
    const sound = (bytes: Buffer): boolean => {
      try {
        const value = parse(bytes);
        const { text, customer, created_at: time } = value;
        const string = typeof text === 'string' && text !== '' && text.isWellFormed();
        return string && typeof customer === 'string' && isDate(time);
      } catch {
        return false;
      }
    };
    for (const { kind, bytes } of many)
      expect([bytes.toString(), sound(bytes)]).toEqual([bytes.toString(), kind !== 'broken']);
    const none = [...labelledContent({ messages: 2000, broken: 0 })];
    expect(
      none.every(({ kind, bytes, customer }) => kind !== 'broken' && parse(bytes)['customer'] === customer),
    ).toBe(true);
  });

  it.each([100, 300, 2000])('writes messages of about %i bytes, none of them broken', (bytes) => {
    const list = [...content({ messages: 1000, bytes })];
    for (const line of list) {
      expect(Math.abs(line.length - bytes)).toBeLessThanOrEqual(Math.max(8, bytes * 0.05));
      expect(parse(line)['text']).not.toBe('');
    }
  });

  it('writes alike for all customers when asked to, and nobody is late', () => {
    const options = { messages: 5000, bytes: 300, uniform: true, days: 0.03 };
    const start = Date.parse('2026-11-01T00:00:00Z');
    const ids = new Set<string>();
    for (const line of content(options)) {
      const { id, customer, created_at: time } = parse(line);
      expect(id).toMatch(/^post_/);
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(String(time))).toBeGreaterThan(start - 3_600_000);
      ids.add(`${String(customer)} ${String(id)}`);
    }
    expect(ids.size).toBe(5000);
  });

  it('has a huge text only when asked to', () => {
    expect(Math.max(...items.map(({ bytes }) => bytes.length))).toBeLessThan(20_000);
    const sizes = [...content({ messages: 10, huge: true })].map(({ length }) => length);
    expect(sizes.filter((size) => size > 1_000_000)).toHaveLength(1);
  });

  it('refuses options that make no sense', () => {
    const wrong: Partial<ContentOptions>[] = [
      { messages: -1 },
      { customers: 0 },
      { broken: 2 },
      { bytes: 0.5 },
      { days: 0 },
      { start: 'soon' },
    ];
    for (const options of wrong)
      expect(() => content({ messages: 1, ...options }).next()).toThrow(RangeError);
  });

  it('runs as a command', () => {
    const folder = mkdtempSync(join(tmpdir(), 'content-'));
    try {
      const run = (...args: string[]): string =>
        execFileSync(process.execPath, [script, ...args], { encoding: 'utf8', stdio: 'pipe' });
      const expected = [...content({ messages: 50, seed: 3, broken: 0 })]
        .map((line) => `${line.toString()}\n`)
        .join('');
      const options = ['--messages', '50', '--seed', '3', '--broken', '0'];
      expect(run(...options)).toBe(expected);
      const file = join(folder, 'out.jsonl.gz');
      run(...options, '--out', file);
      expect(gunzipSync(readFileSync(file)).toString()).toBe(expected);
      expect(readFileSync(file).readUInt32LE(4)).toBe(0);
      expect(run('--help')).toContain('Usage:');
      expect(() => run('--messages', 'many')).toThrow(/--messages must be a number/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
