import { parseTime } from '../replay-range.ts';
import type { DeadLetter } from '../types.ts';
import { idOf, refused, sinkOf } from './letter.ts';

/** Which letters are meant, as the command line says it; everything given must hold. */
export interface FilterFlags {
  readonly stage?: string;
  readonly code?: string;
  readonly topic?: string;
  readonly partition?: number;
  /** `a-b`, both included, or one offset. */
  readonly offsets?: string;
  /** Of their receipt, ISO 8601: at or after, before. */
  readonly since?: string;
  readonly until?: string;
  /** Sink that refused a decision. */
  readonly sink?: string;
  readonly customer?: string;
  /** Text somewhere in the bytes. */
  readonly grep?: string;
  readonly id?: readonly string[];
}

/** Which letters are meant. */
export interface LetterFilter {
  /** Time of receipt, milliseconds UTC: from the first to before the second. */
  readonly received: { readonly since: number; readonly until: number };
  wants(letter: DeadLetter): boolean;
}

/** Makes the filter of the flags. `customerOf` tells whose a letter is. Throws MisconfiguredError naming the flag that is wrong. */
export function createLetterFilter(
  flags: FilterFlags,
  customerOf: (letter: DeadLetter) => string | undefined,
): LetterFilter {
  const since = flags.since === undefined ? -Infinity : parseTime('--since', flags.since);
  const until = flags.until === undefined ? Infinity : parseTime('--until', flags.until);
  if (until <= since) throw refused('--until', `a time after --since ${flags.since}`, String(flags.until));
  const [first, last] = parseRange(flags.offsets);
  const ids = flags.id && new Set(flags.id);
  const { stage, code, topic, partition, sink, customer, grep } = flags;
  const isEqual = (wanted: unknown, value: unknown) => wanted === undefined || wanted === value;
  return {
    received: { since, until },
    wants: (letter) =>
      letter.receivedAt >= since &&
      letter.receivedAt < until &&
      isEqual(stage, letter.stage) &&
      isEqual(code, letter.code) &&
      isEqual(topic, letter.topic) &&
      isEqual(partition, letter.partition) &&
      letter.offset >= first &&
      letter.offset <= last &&
      (!ids || ids.has(idOf(letter))) &&
      (sink === undefined || sinkOf(letter) === sink) &&
      (grep === undefined || Buffer.from(letter.bytes).includes(grep)) &&
      (customer === undefined || customerOf(letter) === customer),
  };
}

function parseRange(text: string | undefined): [number, number] {
  if (text === undefined) return [0, Infinity];
  const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || last < first) throw refused('--offsets', 'first-last or one offset, such as 100-199', text);
  return [first, last];
}
