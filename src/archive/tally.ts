import { UNSUPPORTED_LANGUAGE, type DecodedBatch, type Tally, type VerdictBatch } from '../types.ts';

/** Counts of the rows of a batch that `order` names, by customer, label and language. */
export function tallyOf(decoded: DecodedBatch, verdicts: VerdictBatch, order: Int32Array): Tally {
  // Without prototypes: a customer may be called `__proto__`.
  const actions: Record<string, [number, number, number]> = Object.create(null);
  const reasons: Record<string, Record<string, number>> = Object.create(null);
  const languages: Record<string, [number, number, number]> = Object.create(null);
  const unsupported: Record<string, number> = Object.create(null);
  let customer: string | undefined;
  let counts: [number, number, number] = [0, 0, 0];
  let language: string | undefined;
  let spoken: [number, number, number] = [0, 0, 0];
  for (const row of order) {
    const name = decoded.customer[row]!;
    // Rows come grouped by customer, so most need no look-up.
    if (name !== customer) {
      customer = name;
      counts = actions[name] ??= [0, 0, 0];
    }
    const tongue = verdicts.language[row] ?? 'und';
    if (tongue !== language) {
      language = tongue;
      spoken = languages[tongue] ??= [0, 0, 0];
    }
    const action = verdicts.actions[row]!;
    if (action === 0 || action === 1 || action === 2) {
      counts[action]++;
      spoken[action]++;
    }
    const labels = verdicts.reasons[row];
    if (labels && action > 0) {
      const perLabel = (reasons[name] ??= Object.create(null));
      for (const label of labels) perLabel[label] = (perLabel[label] ?? 0) + 1;
    }
    if (labels?.[0] === UNSUPPORTED_LANGUAGE) unsupported[tongue] = (unsupported[tongue] ?? 0) + 1;
  }
  return { actions, reasons, languages, unsupported };
}
