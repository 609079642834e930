import { decisionSchema, type Decision } from '../decision.ts';
import { didYouMean } from '../suggest.ts';
import type { DeadLetter } from '../types.ts';
import { idOf, isTruncated, keyOf, REDRIVEN, sinkOf, timesOf } from './letter.ts';
import { lineOf } from './line.ts';
import type { Redriven } from './ledger.ts';

/** Why a letter stays where it is. */
export const KEPT = {
  sent_before: 'was sent back before (--again sends it once more)',
  too_many_times: 'was sent back as often as --max-times allows',
  truncated: 'is the beginning of a message only (--truncated sends that)',
  not_read: 'is of a topic that this pipeline does not read (--to names one)',
  no_sink: 'was refused by a sink that is not configured',
  not_a_decision: 'is no decision that this version of Sluice knows',
  not_a_line: 'cannot be one line of a file: it is no JSON, and has line ends',
  for_a_sink: 'is a decision for a sink, not a message (--send tells the sink)',
  too_old: 'is older than the topic keeps messages (--timestamps now sends it with the present time)',
} as const;

/** One of {@link KEPT}. */
export type KeptReason = keyof typeof KEPT;

/** A message to be written to a topic. */
export interface PlannedMessage {
  readonly kind: 'message';
  readonly topic: string;
  /** Absent: as its key says. */
  readonly partition?: number;
  /** Milliseconds UTC; absent: that of sending. */
  readonly timestamp?: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: Readonly<Record<string, Uint8Array>>;
}

/** What becomes of a letter. */
export type Plan =
  | PlannedMessage
  | { readonly kind: 'decision'; readonly sink: string; readonly decision: Decision }
  | { readonly kind: 'line'; readonly file: string; readonly line: Uint8Array }
  | { readonly kind: 'kept'; readonly reason: KeptReason; readonly detail: string };

/** What is known of a topic that messages go to. */
export interface TopicFacts {
  readonly partitions: number;
  /** How long messages stay, milliseconds by their time stamps; Infinity where nothing or nobody says. */
  readonly retention: number;
}

/** By what {@link planOf} goes. */
export interface PlanRules {
  /** Now, milliseconds UTC. */
  readonly now: number;
  /** A topic instead of the messages' own. */
  readonly to?: string | undefined;
  /** A file whose lines messages become instead. */
  readonly out?: string | undefined;
  readonly again: boolean;
  readonly truncated: boolean;
  readonly maxTimes: number;
  readonly timestamps: 'original' | 'now';
  /** Whether the pipeline reads the topic. */
  readonly reads: (topic: string) => boolean;
  /** Names of the configured sinks. */
  readonly sinks: readonly string[];
  /** What the ledger knows of letters, by their keys. */
  readonly ledger: ReadonlyMap<string, Redriven>;
}

/** What must be left of a message's time in its topic, so that whoever reads it does so in time. */
const TIME_TO_READ = 3_600_000;

/** The topic that a letter would go to; undefined when it goes to none. */
export function topicOf(letter: DeadLetter, rules: PlanRules): string | undefined {
  const { to, out, reads } = rules;
  if (out !== undefined || letter.stage === 'deliver' || isDone(letter, rules)) return undefined;
  return to ?? (reads(letter.topic) ? letter.topic : undefined);
}

/** What becomes of a letter. `facts`: of its {@link topicOf}. */
export function planOf(letter: DeadLetter, rules: PlanRules, facts?: TopicFacts): Plan {
  const before = rules.ledger.get(keyOf(letter));
  if (before && isDone(letter, rules)) return kept('sent_before', `at ${before.at} to ${before.to}`);
  if (letter.stage === 'deliver') return decisionPlan(letter, rules);
  if (isTruncated(letter) && !rules.truncated) return kept('truncated', letter.detail);
  const times = timesOf(letter);
  if (times >= rules.maxTimes) return kept('too_many_times', `${times} times`);
  if (rules.out !== undefined) {
    const line = lineOf(letter.bytes);
    return line ? { kind: 'line', file: rules.out, line } : kept('not_a_line', letter.detail);
  }
  const topic = topicOf(letter, rules);
  if (topic === undefined || !facts) return kept('not_read', letter.topic);
  return messagePlan(letter, topic, rules, facts);
}

function isDone(letter: DeadLetter, { ledger, again }: PlanRules): boolean {
  return !again && ledger.has(keyOf(letter));
}

function messagePlan(
  letter: DeadLetter,
  topic: string,
  { now, timestamps }: PlanRules,
  facts: TopicFacts,
): Plan {
  const { timestamp, partition, key, bytes } = letter;
  const text = (value: string) => Buffer.from(value);
  const stamp = timestamps === 'original' && timestamp !== null ? { timestamp } : {};
  if (stamp.timestamp !== undefined && now - stamp.timestamp > facts.retention - TIME_TO_READ)
    return kept('too_old', `${topic} keeps messages for ${(facts.retention / 3_600_000).toFixed(1)} hours`);
  return {
    kind: 'message',
    topic,
    // Where it stood before, so that it stays among messages with its key, whoever had chosen the partition.
    ...(topic === letter.topic && partition < facts.partitions ? { partition } : {}),
    ...stamp,
    key,
    value: bytes,
    headers: {
      ...letter.headers,
      [REDRIVEN.id]: text(idOf(letter)),
      [REDRIVEN.at]: text(new Date(now).toISOString()),
      [REDRIVEN.times]: text(String(timesOf(letter) + 1)),
    },
  };
}

function decisionPlan(letter: DeadLetter, { sinks, out }: PlanRules): Plan {
  const sink = sinkOf(letter) ?? '';
  if (out !== undefined) return kept('for_a_sink', sink);
  if (!sinks.includes(sink)) return kept('no_sink', `${sink}${didYouMean(sink, sinks)}`);
  const decision = parseDecision(letter.bytes);
  return decision ? { kind: 'decision', sink, decision } : kept('not_a_decision', letter.detail);
}

function parseDecision(bytes: Uint8Array): Decision | undefined {
  try {
    return decisionSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return undefined;
  }
}

function kept(reason: KeptReason, detail: string): Plan {
  return { kind: 'kept', reason, detail };
}
