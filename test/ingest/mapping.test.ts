import { describe, expect, it } from 'vitest';
import { ingestConfig, sourceConfig } from '../../src/ingest/config.ts';
import { parseFieldPath } from '../../src/ingest/field-path.ts';
import { compileMapping, labelOf, lookUp, NOT_UTF8, takeOut } from '../../src/ingest/mapping.ts';
import { rawBatch } from './raw-batch.ts';

describe('parseFieldPath', () => {
  it.each([
    ['text', { from: 'body', segments: ['text'] }],
    ['content.text', { from: 'body', segments: ['content', 'text'] }],
    ['a\\.b.c', { from: 'body', segments: ['a.b', 'c'] }],
    ['\\$key', { from: 'body', segments: ['$key'] }],
    ['\\=x', { from: 'body', segments: ['=x'] }],
    ['a\\\\b', { from: 'body', segments: ['a\\b'] }],
    ['$key', { from: 'key' }],
    ['$topic', { from: 'topic' }],
    ['$header.x-customer.id', { from: 'header', name: 'x-customer.id' }],
    ['=acme', { from: 'constant', value: 'acme' }],
    ['=', { from: 'constant', value: '' }],
  ])('%s', (text, expected) => expect(parseFieldPath(text)).toEqual({ label: text, ...expected }));

  it.each(['', 'a..b', '.a', 'a.', '$keys', '$header.', '$header', '$'])('refuses %j', (text) => {
    expect(() => parseFieldPath(text)).toThrow(/^expected .*, got "/);
  });
});

describe('ingestConfig', () => {
  it('has defaults for everything', () => {
    expect(ingestConfig.parse({})).toEqual({
      preset: 'sluice',
      fields: {},
      max_message_bytes: 1024 ** 2,
      max_text_bytes: 1024 ** 2,
      max_customer_bytes: 256,
      max_future: 2 * 86_400_000,
      in_flight_bytes: 64 * 1024 ** 2,
      dead_letters: { max_consecutive: 1000 },
    });
    expect(sourceConfig.parse({ type: 'file', inputs: ['-'] })).toEqual({
      type: 'file',
      inputs: ['-'],
      topic: 'file',
      batch_messages: 1024,
      batch_bytes: 1024 ** 2,
      max_line_bytes: 64 * 1024 ** 2,
    });
  });

  it.each([
    { fields: { text: '$keys' } },
    { fields: { metadata: '=x' } },
    { fields: { txt: 'text' } },
    { fields: { id: [] } },
  ])('refuses %j', (value) => expect(ingestConfig.safeParse(value).success).toBe(false));
});

describe('compileMapping', () => {
  it('puts configured fields in the place of the preset', () => {
    const { mapping } = compileMapping(
      ingestConfig.parse({ fields: { customer: ['tenant', '$key'], text: 'body' } }),
    );
    expect(labelOf(mapping.customer)).toBe('tenant or $key');
    expect(labelOf(mapping.text)).toBe('body');
    expect(labelOf(mapping.id)).toBe('id or content_id');
  });
});

describe('lookUp', () => {
  const batch = rawBatch(['{}', '{}'], {
    keys: [Buffer.from('k1'), null],
    headers: [{ who: Buffer.from('acmé'), bad: Uint8Array.of(0xff) }, {}],
  });
  const find = (path: string, body: Record<string, unknown> = {}, index = 0) =>
    lookUp(parseFieldPath(path), body, batch, index);

  it('finds nested fields, and only own ones of objects', () => {
    expect(find('a.b.c', { a: { b: { c: 1 } } })).toBe(1);
    for (const body of [{}, { a: null }, { a: 'text' }, { a: [1] }])
      expect(find('a.length', body)).toBeUndefined();
    for (const path of ['constructor', '__proto__', 'toString', 'a.constructor']) {
      expect(find(path, { a: {} })).toBeUndefined();
    }
    expect(find('__proto__', { ['__proto__']: 5 })).toBe(5);
  });

  it('finds what travels beside the body', () => {
    expect(find('$key')).toBe('k1');
    expect(find('$key', {}, 1)).toBeUndefined();
    expect(find('$header.who')).toBe('acmé');
    expect(find('$header.bad')).toBe(NOT_UTF8);
    expect(find('$header.constructor')).toBeUndefined();
    expect(find('$topic')).toBe('posts');
    expect(find('=x')).toBe('x');
  });
});

describe('takeOut', () => {
  const rest = (body: Record<string, unknown>, ...paths: string[]) => {
    for (const path of paths) takeOut(parseFieldPath(path), body);
    return JSON.stringify(body);
  };

  it('takes the field and the parents that hold nothing else', () => {
    expect(rest({ a: 1, b: 2 }, 'a')).toBe('{"b":2}');
    expect(rest({ a: { b: { c: 1 } }, d: 2 }, 'a.b.c')).toBe('{"d":2}');
    expect(rest({ a: { b: { c: 1 }, x: 0 } }, 'a.b.c')).toBe('{"a":{"x":0}}');
    expect(rest({ a: { b: 1, c: 2 } }, 'a.b', 'a.c')).toBe('{}');
  });

  it('leaves alone what is not there', () => {
    expect(rest({ a: { b: 1 } }, 'a.x', 'x', 'a.b.c', '$key')).toBe('{"a":{"b":1}}');
  });
});
