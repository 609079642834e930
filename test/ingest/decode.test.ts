import { describe, expect, it } from 'vitest';
import { ingestConfig } from '../../src/ingest/config.ts';
import { createDecoder } from '../../src/ingest/decode.ts';
import { RECEIVED_AT, rawBatch } from './raw-batch.ts';

type Input = Parameters<typeof ingestConfig.parse>[0];

function decode(
  values: Parameters<typeof rawBatch>[0],
  config: Input = {},
  more: Parameters<typeof rawBatch>[1] = {},
) {
  return createDecoder(ingestConfig.parse(config))(rawBatch(values, more));
}

/** Decodes one message that must become a row. */
function one(value: string | Uint8Array, config: Input = {}, more: Parameters<typeof rawBatch>[1] = {}) {
  const result = decode([value], config, more);
  expect(result.deadLetters).toEqual([]);
  expect(result.rows).toBe(1);
  return {
    id: result.contentId[0],
    customer: result.customer[0],
    text: result.text[0],
    user: result.userId[0],
    type: result.contentType[0],
    lang: result.language[0],
    createdAt: result.createdAt[0],
    metadata: entries(result.metadata[0]!),
  };
}

function entries(flat: string[] | null): Record<string, string> | null {
  if (flat === null) return null;
  const keys = flat.filter((_, at) => at % 2 === 0);
  expect(new Set(keys).size).toBe(keys.length);
  return Object.fromEntries(keys.map((key, at) => [key, flat[at * 2 + 1]!]));
}

/** The code of one message that must become a dead letter. */
function code(
  value: string | Uint8Array,
  config: Input = {},
  more: Parameters<typeof rawBatch>[1] = {},
): string {
  const { rows, deadLetters } = decode([value], config, more);
  expect(rows).toBe(0);
  expect(deadLetters.length).toBe(1);
  return deadLetters[0]!.code;
}

const with_ = (fields: string) => `{"customer":"acme","text":"hi",${fields}}`;

describe('createDecoder: columns', () => {
  it('a whole message', () => {
    const text = JSON.stringify({
      id: 'p1',
      customer: 'acme',
      text: 'Grüße 👋\n"ok"',
      user: 'u1',
      type: 'post',
      lang: 'de',
      created_at: '2026-02-28T12:00:00.5Z',
      metadata: { source: 'web', depth: 3, tags: ['a', 'b'], off: null },
      thread: 't9',
      flags: { pinned: true },
      score: 0.5,
    });
    expect(one(text)).toEqual({
      id: 'p1',
      customer: 'acme',
      text: 'Grüße 👋\n"ok"',
      user: 'u1',
      type: 'post',
      lang: 'de',
      createdAt: Date.UTC(2026, 1, 28, 12) * 1000 + 500_000,
      metadata: {
        thread: 't9',
        flags: '{"pinned":true}',
        score: '0.5',
        source: 'web',
        depth: '3',
        tags: '["a","b"]',
        off: 'null',
      },
    });
  });

  it('fills what is missing: decision id, receipt time, nothing', () => {
    const expected = { user: null, type: null, lang: null, metadata: null, createdAt: RECEIVED_AT * 1000 };
    expect(one('{"customer":"acme","text":"hi"}')).toMatchObject({ id: 'posts-3-0', ...expected });
    expect(one(with_('"id":null,"user":"","lang":null'))).toMatchObject({ id: 'posts-3-0', ...expected });
  });

  it('takes the time of the source before the time of receipt', () => {
    const timestamps = Float64Array.of(RECEIVED_AT - 5000);
    expect(one(with_('"id":1'), {}, { timestamps }).createdAt).toBe((RECEIVED_AT - 5000) * 1000);
  });

  it('keeps every digit of numbers', () => {
    expect(one(with_('"id":12345678901234567890')).id).toBe('12345678901234567890');
    expect(one(with_('"id":9007199254740993')).id).toBe('9007199254740993');
    expect(one(with_('"id":7')).id).toBe('7');
    const row = one(
      with_('"big":123456789012345678901,"in":{"x":[1e400,0.12345678901234567890]},"huge":1e999'),
    );
    expect(row.metadata).toEqual({
      big: '123456789012345678901',
      in: '{"x":[1e400,0.12345678901234567890]}',
      huge: '1e999',
    });
    expect(one('{"customer":12345678901234567890,"text":"x"}').customer).toBe('12345678901234567890');
    const nanos = one(with_('"created_at":1772323200123456789'));
    expect(nanos.createdAt).toBe(1772323200123456);
  });

  it('the first present candidate wins, the others stay metadata', () => {
    const fields = { user: ['user_id', 'author'] };
    expect(one(with_('"user_id":"a","author":"b"'), { fields })).toMatchObject({
      user: 'a',
      metadata: { author: 'b' },
    });
    expect(one(with_('"user_id":null,"author":"b"'), { fields })).toMatchObject({
      user: 'b',
      metadata: null,
    });
    expect(one(with_('"user_id":"","author":5'), { fields })).toMatchObject({ user: '5', metadata: null });
  });

  it('two fields may have the same path', () => {
    const row = one(with_('"who":"u"'), { fields: { id: 'who', user: 'who' } });
    expect(row).toMatchObject({ id: 'u', user: 'u', metadata: null });
  });

  it('what is left of an object that a column was taken from', () => {
    const row = one('{"customer":"a","content":{"text":"t","format":"plain"}}', {
      fields: { text: 'content.text' },
    });
    expect(row).toMatchObject({ text: 't', metadata: { content: '{"format":"plain"}' } });
  });

  it('metadata keys that clash both stay', () => {
    const row = one(with_('"a":"1","metadata.a":"2","metadata":{"a":"3","b":"4"}'));
    expect(row.metadata).toEqual({ a: '1', 'metadata.a': '2', 'metadata.a#2': '3', b: '4' });
  });

  it('metadata that is no object is a field as any other', () => {
    expect(one(with_('"metadata":[1]')).metadata).toEqual({ metadata: '[1]' });
    expect(one(with_('"metadata":"x"')).metadata).toEqual({ metadata: 'x' });
    expect(one(with_('"metadata":null')).metadata).toBeNull();
  });

  it('key, topic, header and constants', () => {
    const fields = { customer: '$header.tenant', user: '$key', type: '$topic', lang: '=en', text: 'body' };
    const more = { keys: [Buffer.from('u7')], headers: [{ tenant: Buffer.from('acme') }] };
    expect(one('{"body":"hi"}', { fields }, more)).toMatchObject({
      customer: 'acme',
      user: 'u7',
      type: 'posts',
      lang: 'en',
      metadata: null,
    });
    expect(code('{"body":"hi"}', { fields }, { headers: [{ tenant: Uint8Array.of(0xff) }] })).toBe(
      'not_utf8',
    );
  });

  it('the customer may come in a header, never in the key unless configured', () => {
    const keys = [Buffer.from('acme')];
    expect(code('{"text":"hi"}', {}, { keys })).toBe('missing_field');
    expect(one('{"text":"hi"}', {}, { headers: [{ customer: Buffer.from('acme') }] }).customer).toBe('acme');
    expect(one('{"text":"hi"}', { fields: { customer: '$key' } }, { keys }).customer).toBe('acme');
  });
});

describe('createDecoder: presets', () => {
  it('koko', () => {
    const body = {
      id: 'c1',
      created_at: '2026-02-01T00:00:00Z',
      user_id: 'u1',
      type: 'post',
      content_type: 'text',
      content: { text: 'hello', format: 'plain' },
      context_id: 'x',
      group_id: 'g',
      options: { classifiers: ['crisis'] },
    };
    const keys = [Buffer.from('acme')];
    expect(one(JSON.stringify(body), { preset: 'koko' }, { keys })).toEqual({
      id: 'c1',
      customer: 'acme',
      text: 'hello',
      user: 'u1',
      type: 'post',
      lang: null,
      createdAt: Date.UTC(2026, 1) * 1000,
      metadata: {
        content_type: 'text',
        content: '{"format":"plain"}',
        context_id: 'x',
        group_id: 'g',
        options: '{"classifiers":["crisis"]}',
      },
    });
  });

  const change = (more: object) => ({
    before: null,
    after: { id: 5, customer_id: 9, body: 'text', created_at: 1772323200123456, source: 'app' },
    source: { db: 'forum', lsn: 1 },
    op: 'c',
    ts_ms: 1772323200999,
    transaction: null,
    ...more,
  });
  const debezium = { preset: 'debezium' };

  it('debezium, bare and wrapped', () => {
    for (const message of [
      change({}),
      { schema: { type: 'struct' }, payload: change({}) },
      { payload: change({}) },
    ]) {
      expect(one(JSON.stringify(message), debezium)).toEqual({
        id: '5',
        customer: '9',
        text: 'text',
        user: null,
        type: null,
        lang: null,
        createdAt: 1772323200123456,
        metadata: {
          source: 'app',
          'debezium.op': 'c',
          'debezium.ts_ms': '1772323200999',
          'debezium.source': '{"db":"forum","lsn":1}',
        },
      });
    }
  });

  it('debezium keeps the row before an update', () => {
    const row = one(JSON.stringify(change({ op: 'u', before: { body: 'old' } })), debezium);
    expect(row.metadata).toMatchObject({ 'debezium.before': '{"body":"old"}', 'debezium.op': 'u' });
  });

  it('debezium takes the time of the change where the row has none', () => {
    const at = (envelope: object) =>
      one(JSON.stringify({ op: 'r', after: { customer: 'a', text: 'x' }, ...envelope }), debezium).createdAt;
    expect(at({ source: { ts_ms: 1772323200001 }, ts_ms: 1772323200999 })).toBe(1772323200001000);
    expect(at({ source: { ts_ms: 0 }, ts_ms: 1772323200999 })).toBe(1772323200999000);
  });

  it('debezium skips what is no content, with its reason', () => {
    const result = decode(
      [
        JSON.stringify(change({ op: 'd', after: null })),
        JSON.stringify({ schema: null, payload: null }),
        null,
        JSON.stringify(change({ op: 't', after: null })),
        JSON.stringify(change({ op: 'm' })),
        JSON.stringify(change({ op: 'd', after: null })),
      ],
      debezium,
    );
    expect(result).toMatchObject({
      rows: 0,
      deadLetters: [],
      skipped: { delete: 2, tombstone: 2, truncate: 1, message: 1 },
    });
  });

  it.each([{ a: 1 }, { payload: 'x' }, change({ op: 'x' }), change({ after: null }), change({ after: [] })])(
    'debezium refuses %j',
    (message) => expect(code(JSON.stringify(message), debezium)).toBe('not_an_envelope'),
  );
});

describe('createDecoder: dead letters', () => {
  it.each([
    ['not_json', '{"customer":'],
    ['not_json', 'nonsense'],
    ['not_json', '{"customer":"a","text":"b"} trailing'],
    ['not_an_object', '[1]'],
    ['not_an_object', '"text"'],
    ['not_an_object', 'null'],
    ['not_an_object', '12345678901234567890'],
    ['missing_field', '{}'],
    ['missing_field', '{"customer":"a"}'],
    ['missing_field', '{"customer":"","text":"x"}'],
    ['missing_field', '{"customer":null,"text":"x"}'],
    ['empty_text', '{"customer":"a","text":""}'],
    ['wrong_type', '{"customer":"a","text":5}'],
    ['wrong_type', '{"customer":"a","text":12345678901234567890}'],
    ['wrong_type', '{"customer":{"id":1},"text":"x"}'],
    ['wrong_type', '{"customer":true,"text":"x"}'],
    ['wrong_type', with_('"id":[]')],
    ['wrong_type', with_('"lang":["en"]')],
    ['wrong_type', with_('"created_at":{}')],
    ['bad_timestamp', with_('"created_at":"tomorrow"')],
    ['bad_timestamp', with_('"created_at":-1')],
    ['bad_timestamp', with_('"created_at":"1969-01-01"')],
    ['bad_timestamp', with_('"created_at":1e400')],
    ['bad_timestamp', with_('"created_at":"2026-03-03T00:00:00.000001Z"')],
    ['too_large', `{"customer":"${'é'.repeat(129)}","text":"x"}`],
    ['too_large', JSON.stringify({ customer: 'a', text: 'x'.repeat(10_000_000) })],
  ])('%s', (expected, value) => expect(code(value)).toBe(expected));

  it('limits are inclusive', () => {
    expect(one(with_('"created_at":"2026-03-03T00:00:00Z"')).createdAt).toBe(
      (RECEIVED_AT + 2 * 86_400_000) * 1000,
    );
    expect(one(`{"customer":"${'é'.repeat(128)}","text":"x"}`).customer).toHaveLength(128);
    expect(one('{"customer":"a","text":"ééé"}', { max_text_bytes: '6B' }).text).toBe('ééé');
    expect(code('{"customer":"a","text":"ééé"}', { max_text_bytes: '5B' })).toBe('too_large');
    const message = '{"customer":"a","text":"x"}';
    expect(one(message, { max_message_bytes: `${message.length}B` }).text).toBe('x');
    expect(code(message, { max_message_bytes: `${message.length - 1}B` })).toBe('too_large');
  });

  it('carry everything that is needed to send them again, and never the text', () => {
    const secret = '{"customer":"a","text":"do not tell" oops';
    const key = new Uint8Array(Buffer.from('k'));
    const headers = { h: new Uint8Array(Buffer.from('v')) };
    const timestamps = Float64Array.of(NaN, 7);
    const more = { first: 40, keys: [null, key], headers: [{}, headers], timestamps };
    const batch = rawBatch(['{"customer":"a","text":"ok"}', secret], more);
    const { rows, deadLetters, index } = createDecoder(ingestConfig.parse({}))(batch);
    expect([...index]).toEqual([0]);
    expect(rows).toBe(1);
    expect(deadLetters).toEqual([
      {
        topic: 'posts',
        partition: 3,
        offset: 41,
        stage: 'decode',
        code: 'not_json',
        detail: 'expected JSON, got something else at character 37',
        timestamp: 7,
        receivedAt: RECEIVED_AT,
        bytes: new Uint8Array(Buffer.from(secret)),
        key,
        headers,
      },
    ]);
    expect(deadLetters[0]!.bytes.buffer).not.toBe(batch.bytes.buffer);
  });

  it('details say which field, what was expected and what came', () => {
    const details = (value: string) => decode([value]).deadLetters[0]!.detail;
    expect(details('{"text":"x"}')).toBe(
      'customer: expected a string in customer or $header.customer, got nothing',
    );
    expect(details('{"customer":"","text":"x"}')).toMatch(/got an empty string$/);
    expect(details('{"customer":"a","text":["x"]}')).toBe('text: expected a string, got an array');
    expect(details(with_('"id":{}'))).toBe('id: expected a string or a number, got an object');
  });

  it('a message that the source cut says so', () => {
    const { deadLetters } = decode(
      ['{"customer"', '{"customer":"a","text":"b"}'],
      {},
      { truncated: { 0: 99_000_000 } },
    );
    expect(deadLetters.map(({ code: name, detail }) => [name, detail])).toEqual([
      ['too_large', 'expected at most 1048576 bytes, got 99000000; only the first 11 are kept'],
    ]);
  });
});

describe('createDecoder: hostile input', () => {
  it('customers are data', () => {
    for (const customer of ['../../etc', '..', 'a/b', 'bell\u0007', 'nul\u0000', ' ', '__proto__']) {
      expect(one(JSON.stringify({ customer, text: 'x' })).customer).toBe(customer);
    }
  });

  it('invalid UTF-8 hurts only its own message', () => {
    const good = Buffer.from('{"customer":"a","text":"ä"}');
    const bad = Buffer.concat([
      Buffer.from('{"customer":"a","text":"'),
      Uint8Array.of(0xc3),
      Buffer.from('"}'),
    ]);
    const { text, deadLetters } = decode([good, bad, good]);
    expect(text).toEqual(['ä', 'ä']);
    expect(deadLetters.map(({ code: name, offset }) => [name, offset])).toEqual([['not_utf8', 1]]);
  });

  it('a character split between two values is valid in neither', () => {
    const bytes = Buffer.from('{"customer":"a","text":"ä"}');
    const split = bytes.indexOf(0xa4);
    const batch = rawBatch(['', ''], {
      bytes: new Uint8Array(bytes),
      starts: Uint32Array.of(0, split),
      ends: Uint32Array.of(split, bytes.length),
    });
    const { deadLetters } = createDecoder(ingestConfig.parse({}))(batch);
    expect(deadLetters.map(({ code: name }) => name)).toEqual(['not_utf8', 'not_utf8']);
  });

  it('lone surrogates become U+FFFD, pairs and NUL stay', () => {
    const row = one(
      String.raw`{"customer":"a\udc00","text":"\ud83d\ude00 \uD800 \u0000 end","x\ud800":"\uDBFF"}`,
    );
    expect(row).toMatchObject({
      customer: 'a\uFFFD',
      text: '😀 \uFFFD \u0000 end',
      metadata: { 'x\uFFFD': '\uFFFD' },
    });
  });

  it('the last of two equal keys wins', () => {
    expect(one('{"customer":"a","customer":"b","text":"1","text":"2","x":1,"x":2}')).toMatchObject({
      customer: 'b',
      text: '2',
      metadata: { x: '2' },
    });
  });

  it('keys of Object.prototype are metadata, and pollute nothing', () => {
    const value =
      '{"customer":"a","text":"b","__proto__":{"evil":1},"constructor":"c","toString":"t","metadata":{"__proto__":"m"}}';
    const { metadata } = decode([value]);
    expect(metadata[0]).toEqual([
      '__proto__',
      '{"evil":1}',
      'constructor',
      'c',
      'toString',
      't',
      'metadata.__proto__',
      'm',
    ]);
    expect(({} as Record<string, unknown>)['evil']).toBeUndefined();
  });

  it('inherited names are no fields', () => {
    const fields = { user: 'constructor.name', type: '__proto__', text: 'toString' };
    expect(code('{"customer":"a","text":"b"}', { fields })).toBe('missing_field');
    expect(one('{"customer":"a","text":"b"}', { fields: { ...fields, text: 'text' } })).toMatchObject({
      user: null,
      type: null,
    });
  });

  it('deep nesting is a dead letter, wherever it stands', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(code(with_(`"x":${deep}`))).toBe('too_deep');
    expect(code(with_(`"n":12345678901234567890,"x":${deep}`))).toBe('too_deep');
    expect(code(with_(`"metadata":{"x":${deep}}`))).toBe('too_deep');
    expect(code(deep)).toBe('not_an_object');
    expect(code(`{"customer":${deep},"text":"x"}`)).toBe('wrong_type');
    const fine = '['.repeat(256) + ']'.repeat(256);
    expect(one(with_(`"x":${fine},"n":12345678901234567890`)).metadata).toEqual({
      x: fine,
      n: '12345678901234567890',
    });
    expect(code(with_(`"x":[${fine}]`))).toBe('too_deep');
    expect(code(with_(`"x":[${fine}],"n":12345678901234567890`))).toBe('too_deep');
  });

  it('a byte order mark is ignored, blank values are skipped', () => {
    expect(one('\uFEFF{"customer":"a","text":"b"}').text).toBe('b');
    const { skipped, rows, deadLetters } = decode([
      '',
      ' \t\r',
      '\uFEFF',
      '\uFEFF ',
      '{"customer":"a","text":"b"}',
    ]);
    expect({ skipped, rows, deadLetters }).toEqual({ skipped: { blank: 4 }, rows: 1, deadLetters: [] });
  });

  it('thousands of clashing keys take no quadratic time', () => {
    const keys = Array.from({ length: 30_000 }, (_, at) => [`k${at}`, 1]);
    const value = JSON.stringify({
      customer: 'a',
      text: 'b',
      ...Object.fromEntries(keys),
      metadata: Object.fromEntries(keys),
    });
    expect(Object.keys(one(value).metadata!)).toHaveLength(60_000);
  });
});
