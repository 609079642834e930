import type { Customer } from './customers.ts';
import type { Random } from './random.ts';

/** What a message is made from. */
export interface Draft {
  readonly customer: Customer;
  /** The customer's name as written: another than `customer.name` for a hostile one. */
  readonly name: string;
  readonly text: string;
  readonly language: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** `full` with everything, `plain` without metadata and extra fields, `least` with the required fields only. */
  readonly envelope: 'full' | 'plain' | 'least';
}

/** The ways in which a message can be broken. */
export const defects = [
  'not UTF-8',
  'truncated',
  'array',
  'string',
  'no text',
  'no customer',
  'text of wrong type',
  'empty text',
  'impossible date',
  'impossible number',
] as const;

const regions: Record<string, string> = { es: 'es-MX', pt: 'pt-BR', en: 'en-US' };
const cities = [
  ['DE', 'Leipzig'],
  ['MX', 'Guadalajara'],
  ['IN', 'Pune'],
  ['KR', 'Busan'],
  ['NG', 'Ibadan'],
  ['EG', 'Cairo'],
  ['BR', 'Recife'],
  ['AU', 'Perth'],
] as const;

function identifier(customer: Customer, random: Random, least: boolean): string {
  const count = customer.count;
  if (least) return `"p${count.toString(36)}"`;
  if (customer.ids === 'post') return `"post_${(count * 37 + 100003).toString(36)}"`;
  // Above 2^53 and close together: readers that turn them into doubles lose messages.
  if (customer.ids === 'number') return `1974${String(530000000000000 + count * 3).padStart(15, '0')}`;
  const hex = (digits: number): string =>
    random
      .integer(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  const unique = count.toString(16).padStart(8, '0');
  return `"${unique}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(6)}${hex(6)}"`;
}

function timestamp(customer: Customer, time: number): string {
  if (customer.times === 'milliseconds') return String(time);
  if (customer.times === 'seconds') return String(Math.floor(time / 1000));
  if (customer.times === 'iso') return `"${new Date(time).toISOString()}"`;
  return `"${new Date(time + 19_800_000).toISOString().slice(0, -1)}+05:30"`;
}

function metadata(shape: number, random: Random): string {
  if (shape === 0) {
    return `{"source":"${random.pick(['web', 'ios', 'android'])}","likes":${random.integer(60)},"edited":${random.chance(0.1)}}`;
  }
  if (shape === 1) {
    return `{"app":{"name":"${random.pick(['web', 'android'])}","version":"5.${random.integer(9)}"},"score":${random.integer(100) / 100}}`;
  }
  if (shape === 2)
    return `{"thread":"t_${random.integer(4000)}","depth":${random.integer(6)},"pinned":false}`;
  return random.chance(0.5)
    ? '{}'
    : `{"tags":["a","b"],"client":{"os":"ios","beta":${random.chance(0.2)}},"parent":null}`;
}

function extra(previous: string, random: Random): string {
  const kind = random.integer(3);
  if (kind === 0) return `"device":"${random.pick(['phone', 'tablet', 'desktop'])}"`;
  if (kind === 1) return `"reply_to":${previous}`;
  const [country, city] = random.pick(cities);
  return `"geo":{"country":"${country}","city":"${city}"}`;
}

/** One message as JSON; `replace` gives other JSON for some fields (for broken ones), null leaves a field out. */
export function encode(draft: Draft, random: Random, replace: Record<string, string | null> = {}): string {
  const { customer, envelope } = draft;
  const id = identifier(customer, random, envelope === 'least');
  const previous = `"post_${(Math.max(0, customer.count - 1 - random.integer(5)) * 37 + 100003).toString(36)}"`;
  customer.count++;
  const fields: [string, string | null][] = [
    ['id', id],
    ['customer', JSON.stringify(draft.name)],
    ['text', JSON.stringify(draft.text)],
  ];
  if (envelope !== 'least') {
    const point = random.next();
    fields.push(['user', `"user_${Math.floor(point * point * customer.users) + 1}"`]);
    fields.push(['type', `"${random.pick(customer.types)}"`]);
    if (!random.chance(customer.withoutLang)) {
      const language = draft.language.slice(0, 2);
      fields.push(['lang', `"${customer.regions ? (regions[language] ?? language) : language}"`]);
    }
  }
  fields.push(['created_at', timestamp(customer, draft.time)]);
  if (envelope === 'full') {
    if (random.chance(0.6)) fields.push(['metadata', metadata(customer.metadata, random)]);
  }
  const comma = customer.ascii ? ', ' : ',';
  const colon = customer.ascii ? '": ' : '":';
  let json = '';
  for (const [name, value] of fields) {
    const written = replace[name] === undefined ? value : replace[name];
    if (written !== null) json += `${json === '' ? '' : comma}"${name}${colon}${written}`;
  }
  if (envelope === 'full' && random.chance(0.12)) json += comma + extra(previous, random);
  return `{${customer.ascii && envelope !== 'least' ? escape(json) : json}}`;
}

function escape(json: string): string {
  return json.replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One broken message. */
export function encodeBroken(draft: Draft, random: Random): Buffer {
  return damage(random.pick(defects), draft, random);
}

function damage(defect: (typeof defects)[number], draft: Draft, random: Random): Buffer {
  switch (defect) {
    case 'not UTF-8': {
      const bytes = Buffer.from(encode({ ...draft, text: `caf# ${draft.text}` }, random));
      bytes[bytes.indexOf('#')] = 0xe9;
      return bytes;
    }
    case 'truncated': {
      const json = encode(draft, random);
      return Buffer.from(json.slice(0, 10 + random.integer(json.length - 20)));
    }
    case 'array':
      return Buffer.from(`[${encode(draft, random)}]`);
    case 'string':
      return Buffer.from(JSON.stringify(draft.text));
    case 'no text':
      return Buffer.from(encode(draft, random, { text: null }));
    case 'no customer':
      return Buffer.from(encode(draft, random, { customer: null }));
    case 'text of wrong type': {
      const text = random.pick([
        '42',
        'null',
        'true',
        '["hello"]',
        '{"body":"hello"}',
        '"\\ud83d lone surrogate"',
      ]);
      return Buffer.from(encode(draft, random, { text }));
    }
    case 'empty text':
      return Buffer.from(encode(draft, random, { text: '""' }));
    case 'impossible date':
      return Buffer.from(encode(draft, random, { created_at: '"2026-13-45"' }));
    case 'impossible number':
      break;
  }
  return Buffer.from(encode(draft, random, { created_at: '1e300' }));
}
