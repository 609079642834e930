import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ingestConfig } from '../../src/ingest/config.ts';
import { createDecoder } from '../../src/ingest/decode.ts';
import { rawBatch } from './raw-batch.ts';

/** A number with its own text, which JSON.parse could not keep. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
type Json = null | boolean | string | Digits | Json[] | Map<string, Json>;

const COLUMNS = [
  'id',
  'content_id',
  'customer',
  'text',
  'user',
  'user_id',
  'type',
  'lang',
  'metadata',
  'content',
];
const key = fc.oneof(
  fc.constantFrom(...COLUMNS, 'metadata.a', 'a', '__proto__', 'constructor', 'toString', '1', ''),
  fc.string({ unit: 'binary' }),
);
const digits = fc
  .oneof(
    fc.stringMatching(/^-?[1-9][0-9]{0,30}$/),
    fc.stringMatching(/^-?[1-9]\.[0-9]{0,24}[1-9](e[1-9][0-9]{0,2})?$/),
  )
  .map((text) => new Digits(text));
const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ unit: 'binary' }),
  digits,
);
const { value } = fc.letrec<{ value: Json; object: Map<string, Json> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
}));
const message = fc
  .tuple(fc.array(fc.tuple(key, value), { maxLength: 8 }), fc.boolean())
  .map(([entries, nested]) => {
    const fields = new Map<string, Json>(entries);
    fields.set('customer', 'acme');
    if (nested) fields.set('content', new Map<string, Json>([...entries, ['text', 'the text']]));
    else fields.set('text', 'the text');
    // Their types are checked, which is another test's.
    for (const name of ['id', 'content_id', 'user', 'user_id', 'type', 'lang']) {
      const field = fields.get(name);
      if (typeof field !== 'string' && !(field instanceof Digits)) fields.delete(name);
    }
    fields.delete('created_at');
    return { fields, nested };
  });

function write(json: Json): string {
  if (json instanceof Digits) return json.text;
  if (Array.isArray(json)) return `[${json.map(write).join(',')}]`;
  if (!(json instanceof Map)) return JSON.stringify(json);
  return `{${[...json].map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`).join(',')}}`;
}

/** All leaves as text: strings bare where they may be bare, everything else as JSON; empty objects and arrays are leaves. */
function leaves(json: Json): string[] {
  if (Array.isArray(json)) return json.length === 0 ? ['[]'] : json.flatMap(leaves);
  if (json instanceof Map) return json.size === 0 ? ['{}'] : [...json.values()].flatMap(leaves);
  return [typeof json === 'string' ? json : sameNumber(write(json))];
}

/** Exact, but `1e5` and `100000` are one number: digits without zeros at the ends, and where the point is. */
function sameNumber(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const all = (whole! + fraction).replace(/^0+/, '');
  const significant = all.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + all.length - significant.length}`;
}

/** Parses output text with the digits kept, by means of its own: the decoder must not check itself. */
function read(text: string): Json {
  const convert = (parsed: unknown): Json => {
    if (Array.isArray(parsed)) return parsed.map(convert);
    if (JSON.isRawJSON(parsed)) return new Digits(parsed.rawJSON);
    if (typeof parsed === 'string' || typeof parsed === 'boolean' || parsed === null) return parsed;
    return new Map(Object.entries(Object(parsed)).map(([name, field]) => [name, convert(field)]));
  };
  const keep = (_: string, parsed: unknown, context: { source?: string }) =>
    typeof parsed === 'number' ? JSON.rawJSON(context.source!) : parsed;
  return convert(JSON.parse(text, keep));
}

/** The leaves that a metadata value may stand for: itself as a string, or those of its JSON. */
function readings(text: string): string[] {
  try {
    return [text, ...leaves(read(text))];
  } catch {
    return [text];
  }
}

it('every leaf of a message is in a column or in the metadata', () => {
  fc.assert(
    fc.property(message, ({ fields, nested }) => {
      const config = nested ? { fields: { text: 'content.text' } } : {};
      const result = createDecoder(ingestConfig.parse(config))(rawBatch([write(fields)]));
      expect(result.deadLetters).toEqual([]);
      expect(result.rows).toBe(1);

      const metadata = result.metadata[0] ?? [];
      const keys = metadata.filter((_, at) => at % 2 === 0);
      expect(new Set(keys).size).toBe(keys.length);
      const columns = [
        result.contentId,
        result.customer,
        result.text,
        result.userId,
        result.contentType,
        result.language,
      ];
      const found = new Map<string, number>();
      const add = (text: string) => found.set(text, (found.get(text) ?? 0) + 1);
      for (const column of columns) if (column[0] !== null) add(sameNumber(column[0]!));
      for (const text of columns.flatMap((column) => column[0] ?? [])) add(text);
      for (const text of metadata.filter((_, at) => at % 2 === 1)) readings(text).forEach(add);

      for (const [name, field] of fields) {
        // A mapped field without a value says nothing.
        if (field === '' && ['id', 'content_id', 'user', 'user_id', 'type', 'lang'].includes(name)) continue;
        if (name === 'metadata' && (field === null || (field instanceof Map && field.size === 0))) continue;
        for (const text of leaves(field).map((each) => each.toWellFormed())) {
          expect(found.has(text), `${JSON.stringify(name)}: ${JSON.stringify(text)}`).toBe(true);
        }
      }
    }),
    { numRuns: 500 },
  );
});

it('any bytes at all become one row, dead letter or skipped message each', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.json().map((text) => Buffer.from(text)),
  );
  const decode = createDecoder(ingestConfig.parse({}));
  fc.assert(
    fc.property(fc.array(fc.option(bytes), { maxLength: 20 }), (values) => {
      const { rows, index, deadLetters, skipped } = decode(rawBatch(values));
      const counted = Object.values(skipped).reduce((sum, count) => sum + count, 0);
      expect(rows + deadLetters.length + counted).toBe(values.length);
      const settled = [...index, ...deadLetters.map(({ offset }) => offset)];
      expect(new Set(settled).size).toBe(settled.length);
    }),
  );
});
