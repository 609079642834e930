import type { ModelFacts } from './classify/index.ts';
import type { Workers } from './workers.ts';

/** Languages that a line names, at most. */
const LISTED = 20;

/** What is loaded, for people: a line for each model, and one for each that is older than it may be. */
export function describeClassify({ facts, resolved }: Pick<Workers, 'facts' | 'resolved'>): string {
  const [only] = facts.models;
  const lines =
    facts.models.length > 1
      ? facts.models.map((model) => `classify.models.${model.name}: ${describeModel(model)}`)
      : [`classify: ${only ? describeModel(only) : 'drop (nothing is scored)'}`];
  for (const reason of resolved.offline)
    lines.push(`classify: S3 could not be asked, what was downloaded before is used: ${reason}`);
  return lines.join('\n');
}

function describeModel({ model, labels, languages, share, role, runsOn }: ModelFacts): string {
  return [
    model,
    ...(role === 'shadow' ? ['shadow, decides nothing'] : []),
    `labels ${labels.join(', ')}`,
    languages === null ? 'all languages' : `languages ${shortened(languages)}`,
    ...(runsOn === 'cpu' ? [] : [`on ${runsOn}`]),
    ...(share < 1 ? [`${Number((share * 100).toFixed(4))}% of the users`] : []),
  ].join('; ');
}

function shortened(languages: readonly string[]): string {
  const rest = languages.length - LISTED;
  const listed = languages.slice(0, LISTED).map((tag) => (tag === 'und' ? 'unknown (und)' : tag));
  return [...listed, ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}
