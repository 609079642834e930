import type { z } from 'zod';
import type { JsonSchema } from './config.ts';
import type { Mask } from './config-environment.ts';
import { didYouMean } from './suggest.ts';

type Path = readonly PropertyKey[];

/** What problems are told with. */
export interface ProblemContext {
  /** Where the key or the value of a path stands, as what a line begins with, such as `p.yaml:3:5 `; it may be empty. */
  readonly locate: (path: Path, part: 'key' | 'value') => string;
  /** What the checked configuration has at a path; undefined where it has nothing. */
  readonly valueAt: (path: Path) => unknown;
  /** The schema, for the keys that it knows. */
  readonly schema: () => JsonSchema;
  readonly mask: Mask;
}

/**
 * One line per problem, `path: what was expected, what came` after its location, in the order of the issues. Of several
 * problems with one value only the first is told: the others come of it. Lists and maps that came are not written out, nor
 * texts where no text may be, as they can hold secrets; texts are masked.
 */
export function problemLines(issues: readonly z.core.$ZodIssue[], context: ProblemContext): string[] {
  const lines = new Map<string, string>();
  const tell = (path: Path, part: 'key' | 'value', sentence: string) => {
    const identity = JSON.stringify(path.map(String));
    const name = path.map((step) => context.mask.step(step)).join('.') || '(top level)';
    if (!lines.has(identity))
      lines.set(identity, `${context.locate(path, part)}${name}: ${context.mask.sentence(sentence)}`);
  };
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') {
      tell(issue.path, 'value', expectation(issue, context.mask));
      continue;
    }
    const known = knownKeys(issue.path, context);
    for (const key of issue.keys)
      tell(
        [...issue.path, key],
        'key',
        `unknown key${didYouMean(key, known) || `; known here: ${known.join(', ')}`}`,
      );
  }
  return [...lines.values()];
}

function expectation(issue: z.core.$ZodIssue, mask: Mask): string {
  const got = shown(issue.input, mask);
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the other kinds have messages that say it all
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('expected') ? issue.message : typeExpectation(issue, mask);
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, got ${got}${
        typeof issue.input === 'string' ? didYouMean(issue.input, issue.values.map(String)) : ''
      }`;
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}, got ${got}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}, got ${got}`;
    case 'invalid_union':
      return unionExpectation(issue, mask);
    case 'invalid_format':
      return `${issue.message.startsWith('expected') ? issue.message : `expected ${FORMATS[issue.format] ?? issue.format}`}, got ${got}`;
    case 'custom':
      return issue.message;
    case 'invalid_key':
      return `${issue.issues[0]?.message ?? issue.message}, got ${JSON.stringify(mask.step(issue.path.at(-1) ?? ''))}`;
    default:
      return `${issue.message}, got ${got}`;
  }
}

/** Zod's names of types and formats, in the words of the documentation where those differ. */
const TYPES: Readonly<Record<string, string>> = {
  record: 'a map',
  object: 'a map',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};
const FORMATS: Readonly<Record<string, string>> = { url: 'a URL' };

function typeExpectation({ expected, input }: z.core.$ZodIssueInvalidType, mask: Mask): string {
  const wanted = TYPES[expected] ?? expected;
  // A secret stands in the wrong place more often than a number or a switch does: then its kind has to do.
  const isPlain = !['a map', 'a list', 'a text'].includes(wanted);
  return `expected ${wanted}, got ${(isPlain ? undefined : kindOf(input)) ?? shown(input, mask)}`;
}

function kindOf(input: unknown): string | undefined {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'string') return 'a text';
  return typeof input === 'number' ? 'a number' : undefined;
}

function unionExpectation(issue: z.core.$ZodIssueInvalidUnion, mask: Mask): string {
  const { discriminator, input } = issue;
  if (discriminator !== undefined && typeof input === 'object' && input !== null) {
    const value: unknown = Reflect.get(input, discriminator);
    const known =
      /Expected (.*)$/.exec(issue.message)?.[1]?.replaceAll("'", '"').replaceAll(' | ', ' or ') ??
      `another ${discriminator}`;
    return `expected ${known}, got ${shown(value, mask)}`;
  }
  const wanted = issue.errors.flatMap(([first]) => (first ? [expectation(first, mask)] : []));
  const kinds = wanted.map((text) => text.replace(/^expected /, '').replace(/, got [^]*$/, ''));
  return `expected ${[...new Set(kinds)].join(' or ') || 'another value'}, got ${shown(input, mask)}`;
}

function shown(input: unknown, mask: Mask): string {
  if (input === undefined || input === null) return 'nothing';
  if (Array.isArray(input)) return input.length === 0 ? '[]' : `a list of ${input.length}`;
  if (typeof input === 'object') return Object.keys(input).length === 0 ? '{}' : 'a map';
  // JSON has no NaN and no infinity, which YAML has.
  return typeof input === 'number'
    ? String(input)
    : JSON.stringify(typeof input === 'string' ? mask.text(input) : input);
}

/** Keys that the schema knows below a path, for did-you-mean. */
function knownKeys(path: Path, context: ProblemContext): string[] {
  let schema = context.schema();
  for (const [depth, step] of path.entries()) {
    const properties = memberAt(schema, path.slice(0, depth), context).properties;
    const next =
      typeof step === 'number' ? schema.items : (properties?.[String(step)] ?? schema.additionalProperties);
    if (!next) return [];
    schema = next;
  }
  return Object.keys(memberAt(schema, path, context).properties ?? {});
}

/** The member of a union that the configuration means: the one whose constants, such as `type`, it has. */
function memberAt(schema: JsonSchema, path: Path, { valueAt }: ProblemContext): JsonSchema {
  const members = (schema.oneOf ?? schema.anyOf ?? []).filter(({ properties }) => properties);
  const isMeant = ({ properties = {} }: JsonSchema) =>
    Object.entries(properties).every(
      ([key, { const: value }]) => value === undefined || valueAt([...path, key]) === value,
    );
  return members.find(isMeant) ?? members[0] ?? schema;
}
