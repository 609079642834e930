import { createWriteStream, realpathSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { bankOf, harmful } from './content/bank.ts';
import type { Bank, Harm } from './content/bank.ts';
import { makeCustomers } from './content/customers.ts';
import type { Customer } from './content/customers.ts';
import { encode, encodeBroken } from './content/message.ts';
import type { Draft } from './content/message.ts';
import { at, cumulate, Random } from './content/random.ts';
import { fit, harmfulText, lookAlike, plain, targetWords } from './content/text.ts';

/** What to generate. The same options give the same bytes, always. */
export interface ContentOptions {
  /** Seed of the random source, a whole number (default 1). */
  seed?: number;
  /** How many messages. */
  messages: number;
  /** How many customers share the messages, Zipf-like (default 50). */
  customers?: number;
  /** About how many bytes each message has, at least about 100 (default: lengths as in life). */
  bytes?: number;
  /** Share of broken messages, from 0 to 1 (default 0.002; 0 when `bytes` is given). */
  broken?: number;
  /** When the stream starts, ISO 8601 (default 2026-11-01T00:00:00Z). */
  start?: string;
  /** Over how many days the messages spread (default 3). */
  days?: number;
  /** One message in 10,000 (at least one) has a text of about 1.2 MB (default false). */
  huge?: boolean;
  /**
   * All customers write alike, with ids as strings and times in ISO 8601, and nobody's messages are late by more than the
   * hour that batched ones may wait: what simple readers can take (default false).
   */
  uniform?: boolean;
}

/** What a generated message is, by construction. */
export type ContentKind = 'plain' | 'look-alike' | Harm | 'broken';

/** A message with what the generator knows about it. */
export interface ContentItem {
  /** The JSON line, without a newline at its end. */
  bytes: Buffer;
  kind: ContentKind;
  /** Language of the text: an ISO 639-1 code, `hi-Latn` or `ur-Latn`. */
  language: string;
  /** The generator's customer (a hostile message bears another name). */
  customer: string;
}

/** Customer names that would leave an archive's folder if they were used as a path; the messages are valid. */
export const hostileCustomers = ['../../etc', 'a/b', 'bell\u0007tab\t', '..', 'C:\\temp'] as const;

const hour = 3_600_000;
const day = 24 * hour;

/** Share of a day's traffic by hour (UTC), summed up. */
const traffic = cumulate([3, 2, 2, 2, 2, 3, 4, 6, 7, 8, 8, 8, 9, 9, 8, 8, 9, 10, 11, 12, 11, 9, 7, 5]);

/** Share of harmful messages by kind, the rest is harmless. */
const harmShares: readonly (readonly [Harm, number])[] = [
  ['spam', 0.026],
  ['toxic', 0.048],
  ['hate', 0.061],
];

/** Milliseconds after the start at which a share of the whole stream has passed. */
function elapsed(share: number, days: number): number {
  const total = at(traffic, traffic.length - 1);
  const whole = Math.floor(share * days);
  const point = (share * days - whole) * total;
  const index = traffic.findIndex((sum) => sum > point);
  const before = traffic[index - 1] ?? 0;
  const within = (point - before) / (at(traffic, index) - before);
  return whole * day + (index + within) * hour;
}

function check(options: ContentOptions): void {
  const { seed = 1, messages, customers = 50, bytes, broken = 0, start, days = 3 } = options;
  const whole = (name: string, value: number, least: number): void => {
    if (!Number.isSafeInteger(value) || value < least)
      throw new RangeError(`${name} must be a whole number of at least ${least}`);
  };
  whole('seed', seed, Number.MIN_SAFE_INTEGER);
  whole('messages', messages, 0);
  whole('customers', customers, 1);
  if (bytes !== undefined) whole('bytes', bytes, 1);
  if (!(broken >= 0 && broken <= 1)) throw new RangeError('broken must be between 0 and 1');
  if (!(days > 0 && days <= 36500)) throw new RangeError('days must be more than 0 and at most 36500');
  if (start !== undefined && Number.isNaN(Date.parse(start)))
    throw new RangeError(`start is not a date: ${start}`);
}

interface Turn {
  readonly customer: Customer;
  /** How far back in the hour before now the message was written, 0 to 1. */
  readonly back: number;
}

/** Draws which customer sends the next message; batched customers send long runs. */
function* senders(options: ContentOptions, random: Random): Generator<Turn, never> {
  const { messages } = options;
  const { customers, weights } = makeCustomers(
    options.customers ?? 50,
    messages,
    { sized: options.bytes !== undefined, uniform: options.uniform === true },
    random,
  );
  const turns = cumulate(
    customers.map(({ batched, run }, rank) => at(weights, rank) / (batched ? 1.5 * run : 1)),
  );
  for (;;) {
    const customer = at(customers, random.weighted(turns));
    if (!customer.batched) {
      yield { customer, back: 0 };
      continue;
    }
    const length = customer.run + random.integer(customer.run + 1);
    for (let index = 0; index < length; index++) yield { customer, back: 1 - index / length };
  }
}

function choose(random: Random, words: number, own: Bank): { kind: ContentKind; bank: Bank; text: string } {
  const english = bankOf('en');
  const point = random.next();
  for (const [kind, until] of harmShares) {
    if (point >= until) continue;
    const bank = harmful.has(own.language) && random.chance(0.8) ? own : english;
    return { kind, bank, text: harmfulText(bank, kind, words, random) };
  }
  if (own === english && point > 0.96)
    return { kind: 'look-alike', bank: own, text: lookAlike(own, words, random) };
  return { kind: 'plain', bank: own, text: plain(own, words, random) };
}

/** Text that gives the message about `bytes` bytes: the same envelope is measured with an empty text. */
function resize(draft: Draft, bank: Bank, bytes: number, seed: number): string {
  const before = draft.customer.count;
  const envelope = Buffer.byteLength(encode({ ...draft, text: '' }, new Random(seed)));
  draft.customer.count = before;
  const fitted = fit(draft.text, bank, Math.max(2, bytes - envelope), new Random(seed + 1));
  return fitted.trim() === '' ? 'ok' : fitted;
}

/** Generates messages of social content in 34 languages, with what each is by construction. */
export function* labelledContent(options: ContentOptions): Generator<ContentItem> {
  check(options);
  const { messages, bytes, days = 3, huge = false, uniform = false } = options;
  const broken = options.broken ?? (bytes === undefined ? 0.002 : 0);
  const start = Date.parse(options.start ?? '2026-11-01T00:00:00Z');
  const random = new Random(options.seed ?? 1);
  const sender = senders(options, random);
  const envelope = bytes === undefined || bytes >= 400 ? 'full' : bytes >= 200 ? 'plain' : 'least';
  const hugeAt = Math.min(5000, messages >> 1);
  for (let index = 0; index < messages; index++) {
    const { customer, back } = sender.next().value;
    const own = at(customer.languages, random.weighted(customer.languageWeights));
    const { kind, bank, text } = choose(random, targetWords(random), own);
    let late = back * hour;
    const lateness = uniform ? 1 : random.next();
    if (lateness < 0.002) late += day * (1.05 + random.next());
    else if (lateness < 0.04) late += random.next() * 0.5 * hour;
    const time = Math.round(start + elapsed((index + random.next() * 0.9) / messages, days) - late);
    const hostile = broken > 0 && bytes === undefined && random.chance(0.0005);
    const name = hostile ? random.pick(hostileCustomers) : customer.name;
    let draft: Draft = { customer, name, text, language: bank.language, time, envelope };
    if (random.chance(broken)) {
      yield {
        bytes: encodeBroken(draft, random),
        kind: 'broken',
        language: bank.language,
        customer: customer.name,
      };
      continue;
    }
    // The measured and the final message are written with equal random sources.
    const seed = random.integer(4294967296);
    if (huge && index % 10_000 === hugeAt)
      draft = { ...draft, text: fit(text, bank, 1_200_000, new Random(seed)) };
    else if (bytes !== undefined) draft = { ...draft, text: resize(draft, bank, bytes, seed) };
    const json = encode(draft, new Random(seed));
    yield { bytes: Buffer.from(json), kind, language: bank.language, customer: customer.name };
  }
}

/** Generates messages of social content: one JSON line's bytes each, without the newline, broken ones included. */
export function* content(options: ContentOptions): Generator<Buffer> {
  for (const item of labelledContent(options)) yield item.bytes;
}

const usage = `Usage: node benchmarks/content.ts --messages N [options]

Writes generated social content as JSON lines; the same options give the same bytes.

  --messages N     how many messages
  --seed N         seed of the random source (default 1)
  --customers N    how many customers share them (default 50)
  --bytes N        about how many bytes each message has (default: lengths as in life)
  --broken SHARE   share of broken messages, 0 to 1 (default 0.002; 0 with --bytes)
  --start DATE     when the stream starts (default 2026-11-01T00:00:00Z)
  --days N         over how many days it spreads (default 3)
  --huge           one message in 10,000 has a text of about 1.2 MB
  --out FILE       where to (default: standard output); compressed if it ends in .gz
  --help           this text
`;

/** Lines joined to pieces of about 64 kB, which streams take faster. */
function* pieces(options: ContentOptions): Generator<Buffer> {
  const newline = Buffer.from('\n');
  let waiting: Buffer[] = [];
  let size = 0;
  for (const line of content(options)) {
    waiting.push(line, newline);
    size += line.length + 1;
    if (size < 65_536) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(waiting);
}

function readArguments(args: string[]): { options: ContentOptions; out?: string } | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args,
    options: {
      messages: text,
      seed: text,
      customers: text,
      bytes: text,
      broken: text,
      start: text,
      days: text,
      out: text,
      huge: flag,
      help: flag,
    },
  });
  if (values.help === true) return undefined;
  if (values.messages === undefined) throw new RangeError('--messages is missing');
  const options: ContentOptions = { messages: 0, huge: values.huge === true };
  for (const name of ['messages', 'seed', 'customers', 'bytes', 'broken', 'days'] as const) {
    const value = values[name];
    if (value === undefined) continue;
    if (value.trim() === '' || !Number.isFinite(Number(value)))
      throw new RangeError(`--${name} must be a number, not '${value}'`);
    options[name] = Number(value);
  }
  if (values.start !== undefined) options.start = values.start;
  check(options);
  return { options, ...(values.out === undefined ? {} : { out: values.out }) };
}

async function main(args: string[]): Promise<number> {
  try {
    const parsed = readArguments(args);
    if (parsed === undefined) {
      process.stdout.write(usage);
      return 0;
    }
    const { options, out } = parsed;
    const source = Readable.from(pieces(options), { objectMode: false });
    if (out === undefined) await pipeline(source, process.stdout, { end: false });
    else if (out.endsWith('.gz'))
      await pipeline(source, createGzip({ level: 9, memLevel: 9 }), createWriteStream(out));
    else await pipeline(source, createWriteStream(out));
    return 0;
  } catch (error) {
    // The reader of a pipe may stop early.
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return 0;
    process.stderr.write(`content: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
