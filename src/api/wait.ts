const UNITS = { '': 1, ms: 1, s: 1000 };

/** The time that a request's `wait` names, such as `2s`, `500ms` or `2000`, in milliseconds; undefined when it names none. */
export function parseWait(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|)$/.exec(text);
  if (!match) return undefined;
  return Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]);
}

/**
 * How long to wait for a decision, milliseconds, 0 for not at all: what the request says, else `usual` where it asks for
 * classifiers; never more than `longest`.
 */
export function waitOf(options: {
  /** What `?wait=` says, milliseconds. */
  readonly asked: number | undefined;
  /** Whether the body asks for classifiers. */
  readonly classifiers: boolean;
  readonly usual: number;
  readonly longest: number;
}): number {
  const { asked, classifiers, usual, longest } = options;
  return Math.min(asked ?? (classifiers ? usual : 0), longest);
}
