import { versionOf, type Decision } from './decision.ts';
import { filtersOf, wantsText, type SinksConfig } from './sinks/config.ts';
import { createFilter } from './sinks/filter.ts';
import { ACTIONS, type DecodedBatch, type RawBatch, type VerdictBatch } from './types.ts';

/** What {@link createDecisions}' function takes. */
export interface DecisionsInput {
  readonly raw: RawBatch;
  readonly decoded: DecodedBatch;
  readonly verdicts: VerdictBatch;
  /** When the verdicts were made, milliseconds UTC. */
  readonly decidedAt: number;
  readonly timings: Decision['timings'];
}

const FIRST_MILLIS = Date.parse('0001-01-01T00:00:00Z');
const END_MILLIS = Date.parse('+010000-01-01T00:00:00Z');

/**
 * Makes the function that says of a classified batch what the configured sinks are told; what none of them wants is never
 * built. Poisoned rows are no decisions. Runs in the worker that classified the batch.
 */
export function createDecisions(sinks: SinksConfig): (input: DecisionsInput) => Decision[] {
  const all = Object.values(sinks);
  if (all.length === 0) return () => [];
  const filters = all.flatMap(filtersOf).map(createFilter);
  const withText = all.some(wantsText);
  const wantsAllow = all.flatMap(filtersOf).some(({ actions }) => actions.includes('allow'));

  return (input) => {
    const { decoded, verdicts } = input;
    const poisoned = new Set(verdicts.poison.map(({ row }) => row));
    const decisions: Decision[] = [];
    for (let row = 0; row < decoded.rows; row++) {
      const index = verdicts.actions[row]!;
      // Nearly all rows are allowed, and mostly nobody asks for those.
      if ((index === 0 && !wantsAllow) || poisoned.has(row)) continue;
      const facts = {
        action: ACTIONS[index]!,
        customer: decoded.customer[row]!,
        reasons: verdicts.reasons[row] ?? [],
      };
      if (filters.some((wants) => wants(facts))) decisions.push(decisionOf(input, row, withText));
    }
    return decisions;
  };
}

function decisionOf(input: DecisionsInput, row: number, withText: boolean): Decision {
  const { raw, decoded, verdicts, decidedAt, timings } = input;
  const message = decoded.index[row]!;
  const { topic, partition } = raw;
  const offset = raw.offsets[message]!;
  const producedAt = raw.timestamps[message]!;
  const scores: Record<string, number> = {};
  for (const [index, label] of verdicts.labels.entries()) {
    const score = verdicts.scores[row * verdicts.labels.length + index]!;
    if (!Number.isNaN(score)) scores[label] = Math.round(score * 1e4) / 1e4;
  }
  return {
    id: `${topic}-${partition}-${offset}`,
    customer: decoded.customer[row]!,
    content_id: decoded.contentId[row]!,
    user_id: decoded.userId[row]!,
    content_type: decoded.contentType[row]!,
    language: verdicts.language[row]!,
    action: ACTIONS[verdicts.actions[row]!]!,
    reasons: (verdicts.reasons[row] ?? []).map((label, index) => ({
      label,
      // A fact, such as an unsupported language, has no score of a model.
      score: scores[label] ?? 1,
      threshold: verdicts.thresholds[row]![index]!,
    })),
    scores,
    model: verdicts.models ? verdicts.models[row]! : verdicts.model,
    policy: verdicts.policies?.[row] ?? verdicts.policy,
    created_at: isoTime(decoded.createdAt[row]! / 1000),
    produced_at: isoTime(producedAt),
    received_at: new Date(raw.receivedAt).toISOString(),
    decided_at: new Date(decidedAt).toISOString(),
    version: versionOf({ producedAt, receivedAt: raw.receivedAt, partition, offset }),
    position: { topic, partition, offset },
    timings,
    ...(withText ? { text: decoded.text[row]! } : {}),
  };
}

/** Null for times that have no four-digit year, NaN included. */
function isoTime(millis: number): string | null {
  return millis >= FIRST_MILLIS && millis < END_MILLIS ? new Date(millis).toISOString() : null;
}
