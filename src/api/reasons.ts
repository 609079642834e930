import type { z } from 'zod';

/** What is wrong with a body, one sentence for each problem, in Koko's words where it has some. Never shows a value. */
export function reasonsOf(error: z.ZodError): string[] {
  return error.issues.map(reasonOf);
}

function reasonOf(issue: z.core.$ZodIssue): string {
  const name = issue.path.join('.');
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the schemas have no others
  switch (issue.code) {
    case 'invalid_type':
      // Needs `reportInput`. Null is how some clients say that they have nothing.
      return issue.input === undefined || issue.input === null
        ? required(name)
        : `Property ${name} was not of type ${issue.expected}.`;
    case 'too_small':
      return issue.origin === 'string'
        ? `Property ${name} was empty.`
        : `Property ${name} had fewer than ${issue.minimum} entries.`;
    case 'too_big':
      return `Property ${name} had more than ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}.`;
    case 'custom':
      return `Property ${name} ${issue.message}.`;
    default:
      return `Property ${name} was not as expected.`;
  }
}

/** The sentence for a property that is missing. */
export function required(name: string): string {
  return `Required property ${name} was not present.`;
}
