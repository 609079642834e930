/** Languages that a process names in its metrics; what comes after them is `other`. */
const MOST = 100;

/**
 * Makes the function from a BCP 47 tag to the label of a metric: its primary subtag if it is a language's, `und` where the
 * language is not known, else `other`. Producers write the tags, so only so many languages have a label of their own.
 */
export function createLanguageLabels(most = MOST): (tag: string) => string {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  const known = new Map([['und', 'und']]);
  return (tag) => {
    const primary = tag.split(/[-_]/, 1)[0]!.toLowerCase();
    const label = known.get(primary);
    if (label !== undefined) return label;
    if (known.size > most || !/^[a-z]{2,3}$/.test(primary) || names.of(primary) === undefined) return 'other';
    known.set(primary, primary);
    return primary;
  };
}
