import { ACTIONS, type DecodedBatch, type VerdictBatch } from './types.ts';

/** Entry of the metadata that holds the decision with which a row was archived before, as JSON. */
export const ARCHIVED = 'archived';

/** The decision that a row was archived with. */
export interface ArchivedDecision {
  /** `topic-partition-offset` of the message. */
  readonly id: string;
  readonly action: string;
  /** Null where none led to the action. */
  readonly reasons: readonly string[] | null;
}

/**
 * The rows of a batch whose decision is the one that they were archived with: the same action and, unless it is `allow`, the
 * same labels that led to it, in any order. A row that carries no archived decision is none of them. Poisoned rows are
 * none either. Pure.
 */
export function unchangedRows(decoded: DecodedBatch, verdicts: VerdictBatch): number[] {
  const poisoned = new Set(verdicts.poison.map(({ row }) => row));
  const unchanged: number[] = [];
  for (let row = 0; row < decoded.rows; row++) {
    const archived = archivedOf(decoded.metadata[row]!);
    if (!archived || poisoned.has(row)) continue;
    const action = ACTIONS[verdicts.actions[row]!]!;
    if (action !== archived.action) continue;
    if (action === 'allow' || haveSame(verdicts.reasons[row] ?? [], archived.reasons ?? []))
      unchanged.push(row);
  }
  return unchanged;
}

function archivedOf(metadata: readonly string[] | null): ArchivedDecision | undefined {
  for (let at = 0; at < (metadata?.length ?? 0); at += 2) {
    if (metadata![at] !== ARCHIVED) continue;
    try {
      const value = JSON.parse(metadata![at + 1]!) as Partial<ArchivedDecision> | null;
      return typeof value?.action === 'string' ? (value as ArchivedDecision) : undefined;
    } catch {
      // A producer's own field of that name, in a message that no archive held.
      return undefined;
    }
  }
  return undefined;
}

function haveSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((label) => others.includes(label));
}
