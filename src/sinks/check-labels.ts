import { MisconfiguredError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Filter } from './filter.ts';

/**
 * Throws MisconfiguredError when a sink waits for what never comes: labels that the model does not have, or, where nothing is
 * scored and so everything is allowed, decisions of other actions. `labels`: those of the model, none when nothing scores.
 */
export function checkLabels(name: string, filters: readonly Filter[], labels: readonly string[]): void {
  const known = labels.length > 0 ? labels.join(', ') : 'none: it scores nothing';
  for (const { labels: wanted = [], actions } of filters) {
    const stranger = wanted.find((label) => !labels.includes(label));
    if (stranger !== undefined)
      throw new MisconfiguredError(
        `sinks.${name}: labels: expected labels of the model (${known}), got "${stranger}"${didYouMean(stranger, labels)}`,
      );
    if (labels.length === 0 && !actions.includes('allow'))
      throw new MisconfiguredError(
        `sinks.${name}: actions: expected allow among them, since classify.model drop allows everything, got ${actions.join(', ')}: nothing would be told`,
      );
  }
}
