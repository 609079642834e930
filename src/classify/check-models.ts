import { MisconfiguredError } from '../errors.ts';
import { conflicts, MOST_MODELS, type AssignedModel } from './assign-rows.ts';
import { tagRanges } from './language-tag.ts';
import { UNSUPPORTED_LANGUAGE } from './policy.ts';

/**
 * Throws MisconfiguredError, one line, for models that cannot work together: none that decides, one that never takes a row,
 * a share whose other rows nobody scores, labels that only case tells apart (Athena knows no case), two shadow models of one
 * id, which could not be told apart in the archive. Pure.
 */
export function checkModels(models: readonly (AssignedModel & { readonly id: string })[]): void {
  if (models.length === 0) return;
  if (models.length > MOST_MODELS)
    throw new MisconfiguredError(`classify.models: expected at most ${MOST_MODELS}, got ${models.length}`);
  if (models.every(({ role }) => role === 'shadow'))
    throw new MisconfiguredError(
      `classify.models: expected one that decides, got only shadow models: ${models.map(({ name }) => name).join(', ')}`,
    );
  checkReach(models);
  checkLabels(models);
  const ids = new Map<string, string>();
  for (const { role, name, id } of models) {
    if (role !== 'shadow') continue;
    const other = ids.get(id);
    if (other !== undefined)
      throw new MisconfiguredError(
        `classify.models.${name}: expected another model than ${id}, which ${other} is too: their scores could not be told apart`,
      );
    ids.set(id, name);
  }
}

function checkReach(models: readonly AssignedModel[]): void {
  const before = conflicts(models);
  for (const [index, { name, role, languages, share, labels }] of models.entries()) {
    if (role === 'shadow') continue;
    const rivals = before[index]!;
    // What keeps a rival from a row must keep this model from it, too, or that row is left to it.
    const rival = models.find(
      (other, i) =>
        (rivals & (1 << i)) !== 0 &&
        (before[i]! & ~rivals) === 0 &&
        other.share === 1 &&
        covers(other, languages),
    );
    if (rival)
      throw new MisconfiguredError(
        `classify.models.${name}: takes no row, since ${rival.name} before it takes them all and has the label ${shared(labels, rival)} too; ` +
          `put ${name} first and give it \`languages\` or a \`share\`, or make it \`role: shadow\``,
      );
    const follower = models.some(
      (other, i) => other.role === 'decide' && ((before[i] ?? 0) & (1 << index)) !== 0,
    );
    if (share < 1 && !follower)
      throw new MisconfiguredError(
        `classify.models.${name}: share: expected a later model with a label of it (${labels.join(', ')}) for the other rows, got none`,
      );
  }
}

/** Whether a model takes every row in languages that another one takes. */
function covers({ languages: own }: AssignedModel, languages: ReadonlySet<string> | undefined): boolean {
  if (!own) return true;
  return (
    languages !== undefined && [...languages].every((tag) => tagRanges(tag).some((range) => own.has(range)))
  );
}

function shared(labels: readonly string[], other: AssignedModel): string {
  return JSON.stringify(labels.find((label) => other.labels.includes(label)));
}

function checkLabels(models: readonly AssignedModel[]): void {
  const known = new Map<string, { readonly label: string; readonly name: string }>();
  for (const { name, labels, role } of models) {
    if (labels.includes(UNSUPPORTED_LANGUAGE))
      throw new MisconfiguredError(
        `classify.models.${name}: expected another label than "${UNSUPPORTED_LANGUAGE}", which is the reason of rows that no model judges`,
      );
    if (role === 'shadow') continue;
    for (const label of labels) {
      const other = known.get(label.toLowerCase());
      if (other && other.label !== label && other.name !== name)
        throw new MisconfiguredError(
          `classify.models.${name}: label "${label}": expected the spelling of ${other.name}, "${other.label}", or another word: Athena cannot tell them apart`,
        );
      known.set(label.toLowerCase(), { label, name });
    }
  }
}
