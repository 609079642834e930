import { bankOf } from './bank.ts';
import type { Bank } from './bank.ts';
import { cumulate } from './random.ts';
import type { Random } from './random.ts';

/** How a customer writes things: each has its own software. */
export interface Customer {
  readonly name: string;
  readonly languages: readonly Bank[];
  readonly languageWeights: readonly number[];
  readonly ids: 'post' | 'uuid' | 'number';
  readonly times: 'iso' | 'offset' | 'milliseconds' | 'seconds';
  readonly types: readonly string[];
  /** Sends its messages in batches: long runs of consecutive messages. */
  readonly batched: boolean;
  /** A batch's least length; the largest is twice that. */
  readonly run: number;
  /** Writes JSON as ASCII, with `\uXXXX` for everything else and a space after `,` and `:`. */
  readonly ascii: boolean;
  /** Writes language tags with a region (`es-MX`). */
  readonly regions: boolean;
  /** Share of messages without `lang`. */
  readonly withoutLang: number;
  readonly metadata: number;
  readonly users: number;
  /** Messages written so far. */
  count: number;
}

type Traits = Partial<
  Pick<Customer, 'ids' | 'times' | 'types' | 'batched' | 'ascii' | 'regions' | 'withoutLang'>
>;

/** The largest customers, by rank: name, languages in per cent, traits. */
const named: readonly (readonly [string, string, Traits])[] = [
  ['acme-social', 'en 62, es 14, pt 8, fr 8, de 4, hi-Latn 4', { withoutLang: 0.15 }],
  [
    'bazaar',
    'hi 36, hi-Latn 20, en 20, mr 9, gu 8, pa 7',
    { batched: true, times: 'offset', withoutLang: 0.6 },
  ],
  ['koala-chat', 'en 80, zh 8, vi 6, it 6', { times: 'milliseconds', types: ['message'], withoutLang: 0.2 }],
  ['plaza-viva', 'es 60, pt 34, en 6', { regions: true, withoutLang: 0.1 }],
  ['forum-nord', 'de 48, nl 20, pl 16, en 16', { ids: 'uuid', types: ['post', 'comment'] }],
  ['souk-talk', 'ar 60, fr 12, fa 12, he 8, en 8', { batched: true, withoutLang: 0.5 }],
  ['hanok-club', 'ko 44, ja 34, zh 22', { ids: 'number' }],
  ['volga-board', 'ru 55, uk 25, tr 14, en 6', { types: ['post', 'comment', 'comment'] }],
  ['lagos-live', 'en 36, yo 17, ha 18, sw 17, am 12', { times: 'seconds', ascii: true }],
  ['mekong-market', 'th 36, vi 34, id 30', { withoutLang: 1 }],
  ['river-forum', 'bn 38, ta 16, te 14, kn 11, ml 11, pa 10', { batched: true, times: 'offset' }],
  ['indus-wire', 'ur 48, ur-Latn 28, pa 8, en 16', { ids: 'number', types: ['message', 'comment'] }],
];

/** Language mixes of the customers after the named ones. */
const mixes = [
  'it 50, fr 30, es 10, en 10',
  'fr 70, ar 20, en 10',
  'ja 90, en 10',
  'tr 80, de 15, en 5',
  'id 80, en 20',
  'sw 60, am 20, en 20',
  'he 75, ru 15, en 10',
  'fa 85, en 15',
  'ta 40, ml 30, te 20, kn 10',
  'nl 60, fr 25, en 15',
  'pl 70, uk 20, en 10',
  'zh 85, en 15',
  'gu 40, mr 40, hi 20',
  ...named.map(([, languages]) => languages),
];

/** The customers of a stream, largest first, with their Zipf weights (1, 1/2, 1/3, …) to share the messages. */
export function makeCustomers(
  count: number,
  messages: number,
  /** `sized`: messages have a given size, so that no customer may write longer JSON; `uniform`: all write ids and times alike. */
  { sized, uniform }: { readonly sized: boolean; readonly uniform: boolean },
  random: Random,
): { customers: Customer[]; weights: number[] } {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const customers = weights.map((weight, rank): Customer => {
    const [name, mix, traits] = named[rank] ?? [
      `customer-${String(rank + 1).padStart(3, '0')}`,
      random.pick(mixes),
      { batched: random.chance(0.2), ids: random.chance(0.2) ? 'uuid' : 'post' } satisfies Traits,
    ];
    const parts = mix.split(', ').map((part) => part.split(' '));
    return {
      name,
      languages: parts.map(([language = '']) => bankOf(language)),
      languageWeights: cumulate(parts.map(([, share]) => Number(share))),
      ids: 'post',
      times: 'iso',
      types: ['post', 'comment', 'comment', 'message'],
      batched: false,
      run: Math.max(4, Math.min(200, Math.round((messages * weight) / sum / 8))),
      ascii: false,
      regions: false,
      withoutLang: 0.35,
      ...traits,
      metadata: rank % 4,
      users: Math.max(12, Math.round((messages * weight) / sum / 6)),
      count: 0,
      ...(sized ? { ascii: false } : {}),
      ...(uniform ? { ids: 'post', times: 'iso' } : {}),
    };
  });
  return { customers, weights };
}
