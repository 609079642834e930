import type { Decision } from '../decision.ts';

/** Body of a successful answer; `classifiers` and what follows it only when the decision was there in time. */
export interface ContentAnswer {
  /** Id of the content. */
  readonly id: string;
  /** `topic-partition-offset` of the message: id of the decision on it. Absent where the brokers did not say. */
  readonly decision_id?: string;
  readonly classifiers?: {
    /** Id of the content, as Koko's clients expect it. */
    readonly id: string;
    readonly classification: readonly { readonly label: string; readonly confidence: number }[];
  };
  /** Labels that were asked for and that the model does not have; absent when it has all of them. */
  readonly unknown_classifiers?: readonly string[];
  readonly action?: Decision['action'];
  readonly reasons?: Decision['reasons'];
}

/**
 * The answer to tracked content. `classifiers`: the labels that were asked for, of which those are told that the model has, and
 * the others named; undefined for all of them.
 */
export function contentAnswer(
  id: string,
  told: {
    readonly decisionId: string | undefined;
    readonly decision: Decision | undefined;
    readonly classifiers: readonly string[] | undefined;
  },
): ContentAnswer {
  const { decisionId, decision, classifiers } = told;
  const ids = { id, ...(decisionId === undefined ? {} : { decision_id: decisionId }) };
  if (!decision) return ids;
  const { scores, action, reasons } = decision;
  const labels = classifiers ? [...new Set(classifiers)] : Object.keys(scores);
  const isKnown = (label: string) => Object.hasOwn(scores, label);
  const unknown = labels.filter((label) => !isKnown(label));
  return {
    ...ids,
    classifiers: {
      id,
      classification: labels.filter(isKnown).map((label) => ({ label, confidence: scores[label]! })),
    },
    ...(unknown.length > 0 ? { unknown_classifiers: unknown } : {}),
    action,
    reasons,
  };
}
