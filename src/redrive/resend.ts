import type { DeadLetter } from '../types.ts';
import type { LetterFilter } from './filter.ts';
import type { RedriveLedger } from './ledger.ts';
import type { Letters } from './letter.ts';
import { planOf, topicOf, type KeptReason, type Plan, type PlanRules, type TopicFacts } from './plan.ts';
import type { Target } from './target.ts';

/** Letters between two entries of the ledger: as many may be sent twice after a crash. */
const CHUNK_LETTERS = 500;
const CHUNK_BYTES = 4 * 1024 ** 2;

type PlanOf<Kind> = Extract<Plan, { kind: Kind }>;

/** A target for each kind of plan. */
export interface Targets {
  readonly message: Target<PlanOf<'message'>>;
  readonly decision: Target<PlanOf<'decision'>>;
  readonly line: Target<PlanOf<'line'>>;
}

/** What {@link resend} needs. */
export interface ResendOptions {
  readonly letters: Letters;
  readonly filter: LetterFilter;
  readonly rules: PlanRules;
  readonly factsOf: (topic: string) => Promise<TopicFacts>;
  /** Absent: nothing is sent, and nothing remembered. */
  readonly targets?: Targets | undefined;
  readonly ledger: RedriveLedger;
  /** Most letters to send. */
  readonly limit: number;
  readonly onPlanned: (letter: DeadLetter, plan: Plan) => void;
  readonly onRefused: (letter: DeadLetter, detail: string) => void;
  readonly onProgress: (done: number, total: number) => void;
  /** Ends it after what is under way. */
  readonly signal: AbortSignal;
}

/** What became of all letters that were meant. */
export interface Resent {
  /** Sent, or to be sent in a dry run; by `topic NAME`, `sink NAME`, `file PATH`. */
  readonly sent: Record<string, number>;
  /** Those that stay where they are, by reason. */
  readonly kept: Partial<Record<KeptReason, number>>;
  /** Those that were tried, and are not taken. */
  refused: number;
  /** Whether it ended before it had seen all of them. */
  stopped: boolean;
}

/**
 * Sends letters back, a few hundred at a time: when the target has acknowledged them, the ledger remembers them, then come the
 * next. What was sent and not remembered when a process dies is sent again by the next one.
 */
export async function resend(options: ResendOptions): Promise<Resent> {
  const { letters, filter, rules, targets, ledger, signal } = options;
  const resent: Resent = { sent: {}, kept: {}, refused: 0, stopped: false };
  const enough = new AbortController();
  let planned = 0;
  let chunk: { letter: DeadLetter; plan: Exclude<Plan, { kind: 'kept' }> }[] = [];
  let bytes = 0;

  async function flush(): Promise<void> {
    const pending = chunk;
    chunk = [];
    bytes = 0;
    if (!targets || pending.length === 0) return;
    const refused = new Set<DeadLetter>();
    for (const kind of ['message', 'decision', 'line'] as const) {
      const own = pending.filter(({ plan }) => plan.kind === kind);
      if (own.length === 0) continue;
      const target = targets[kind] as Target<Plan>;
      for (const [index, detail] of await target.send(own.map(({ plan }) => plan))) {
        const { letter } = own[index]!;
        refused.add(letter);
        options.onRefused(letter, detail);
      }
    }
    const accepted = pending.filter(({ letter }) => !refused.has(letter));
    if (accepted.length > 0)
      await ledger.write(accepted.map(({ letter, plan }) => ({ letter, to: placeOf(plan) })));
    resent.refused += refused.size;
    for (const { plan } of accepted) count(resent.sent, placeOf(plan));
  }

  await letters.read({
    received: filter.received,
    onProgress: options.onProgress,
    signal: AbortSignal.any([signal, enough.signal]),
    async each(letter) {
      if (!filter.wants(letter)) return;
      const topic = topicOf(letter, rules);
      const plan = planOf(letter, rules, topic === undefined ? undefined : await options.factsOf(topic));
      options.onPlanned(letter, plan);
      if (plan.kind === 'kept') {
        count(resent.kept, plan.reason);
        return;
      }
      if (!targets) count(resent.sent, placeOf(plan));
      chunk.push({ letter, plan });
      bytes += letter.bytes.length;
      planned++;
      if (planned >= options.limit) enough.abort();
      if (chunk.length >= CHUNK_LETTERS || bytes >= CHUNK_BYTES) await flush();
    },
  });
  resent.stopped = signal.aborted;
  if (!resent.stopped) await flush();
  return resent;
}

function placeOf(plan: Exclude<Plan, { kind: 'kept' }>): string {
  if (plan.kind === 'message') return `topic ${plan.topic}`;
  return plan.kind === 'decision' ? `sink ${plan.sink}` : `file ${plan.file}`;
}

function count<Key extends string>(counts: Partial<Record<Key, number>>, key: Key): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
