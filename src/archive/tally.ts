import type { DecodedBatch, Tally, VerdictBatch } from '../types.ts';

/** Counts of the rows of a batch that `order` names, by customer, label and language. */
export function tallyOf(decoded: DecodedBatch, verdicts: VerdictBatch, order: Int32Array): Tally {
  // Without prototypes: a customer may be called `__proto__`.
  const actions: Record<string, [number, number, number]> = Object.create(null);
  const reasons: Record<string, Record<string, number>> = Object.create(null);
  const languages: Record<string, number> = Object.create(null);
  let customer: string | undefined;
  let counts: [number, number, number] = [0, 0, 0];
  let language: string | undefined;
  let spoken = 0;
  for (const row of order) {
    const name = decoded.customer[row]!;
    // Rows come grouped by customer, so most need no look-up.
    if (name !== customer) {
      customer = name;
      counts = actions[name] ??= [0, 0, 0];
    }
    const action = verdicts.actions[row]!;
    if (action === 0 || action === 1 || action === 2) counts[action]++;
    const labels = verdicts.reasons[row];
    if (labels && action > 0) {
      const perLabel = (reasons[name] ??= Object.create(null));
      for (const label of labels) perLabel[label] = (perLabel[label] ?? 0) + 1;
    }
    const tongue = verdicts.language[row] ?? 'und';
    if (tongue !== language) {
      if (language !== undefined) languages[language] = (languages[language] ?? 0) + spoken;
      language = tongue;
      spoken = 0;
    }
    spoken++;
  }
  if (language !== undefined) languages[language] = (languages[language] ?? 0) + spoken;
  return { actions, reasons, languages };
}
