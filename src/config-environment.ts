import { visit, type Document } from 'yaml';

const PLACEHOLDER = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;
/** What errors show instead of a text of the environment. */
const HIDDEN = '***';
/** Shorter values are hidden where they stand as a value, but not searched for in sentences, which would lose their words. */
const SEARCHED_CHARACTERS = 4;

/** Hides what errors must not show: texts of the environment, and user and password of URLs. */
export interface Mask {
  /** A text of the configuration. */
  text(text: string): string;
  /** A step of a path. Keys that stand in the file itself, or in a schema, come out as they are. */
  step(step: PropertyKey): string;
  /** A sentence that may quote the configuration, also as JSON. */
  sentence(sentence: string): string;
}

/** A text of the document that the environment filled in. */
interface Filled {
  /** With the values in it. */
  readonly text: string;
  /** With `***` instead of them. */
  readonly shown: string;
  readonly isKey: boolean;
}

/** What {@link fillFromEnvironment} did to a document. */
export interface Filling {
  readonly mask: Mask;
  /** Variables that are not set, with the offsets of the texts that name them. */
  readonly missing: readonly { readonly name: string; readonly offset: number }[];
}

/**
 * Replaces `${NAME}` in the texts of a document, keys included, by the environment variable NAME; by nothing where it is not
 * set. In the user-info of a URL values are percent-encoded: see {@link userInfoOf}.
 */
export function fillFromEnvironment(document: Document, env: NodeJS.ProcessEnv): Filling {
  const missing: { name: string; offset: number }[] = [];
  const filled: Filled[] = [];
  const values = new Set<string>();
  visit(document, {
    Scalar(key, node) {
      if (typeof node.value !== 'string' || node.value.search(PLACEHOLDER) === -1) return;
      const template = node.value;
      const userInfo = userInfoOf(template);
      const text = template.replace(PLACEHOLDER, (match, name: string, offset: number) => {
        const value = env[name];
        if (value === undefined) missing.push({ name, offset: node.range?.[0] ?? 0 });
        if (value === undefined || value === '') return '';
        const isWithin = offset >= userInfo.start && offset < userInfo.end;
        const isWhole = offset === userInfo.start && offset + match.length === userInfo.end;
        const written = isWithin ? encodeUserInfo(value, isWhole) : value;
        values.add(value).add(written);
        return written;
      });
      filled.push({ text, shown: template.replace(PLACEHOLDER, HIDDEN), isKey: key === 'key' });
      node.value = text;
    },
  });
  return { missing, mask: createMask(filled, values) };
}

/**
 * Where in `scheme://user:password@host` user and password stand, as offsets; an empty range for a text that is no such URL
 * (RFC 3986, sections 3.2 and 3.2.1). A placeholder that is the whole text is no URL yet: its value is one, and stays as it is.
 */
function userInfoOf(template: string): { readonly start: number; readonly end: number } {
  const match = /^([^:/?#]*:\/\/)([^/?#]*)@/.exec(template);
  if (!match) return { start: 0, end: 0 };
  const start = match[1]!.length;
  return { start, end: start + match[2]!.length };
}

/** A value that is all of the user-info keeps its first colon, which parts user and password. */
function encodeUserInfo(value: string, isWhole: boolean): string {
  const encoded = encodeURIComponent(value.toWellFormed());
  return isWhole ? encoded.replace('%3A', ':') : encoded;
}

/** The mask of a configuration; without arguments, of one that the environment had no part in. */
export function createMask(filled: readonly Filled[] = [], values: Iterable<string> = []): Mask {
  const texts = new Map(filled.filter(({ isKey }) => !isKey).map(({ text, shown }) => [text, shown]));
  const keys = new Map(filled.filter(({ isKey }) => isKey).map(({ text, shown }) => [text, shown]));
  const quoted = filled
    .map(({ text, shown }) => [JSON.stringify(text), JSON.stringify(shown)] as const)
    .filter(([text]) => text !== '""');
  const search = searchOf(values);
  const hideValues = (text: string) => (search ? text.replace(search, HIDDEN) : text);
  return {
    // What is not filled in itself may still repeat a value, and a password may hold any character: up to the last @.
    text: (text) =>
      hideValues(texts.get(text) ?? text).replace(/([a-z][a-z0-9+.-]*:\/\/)[^]*@/gi, `$1${HIDDEN}@`),
    step(step) {
      const text = String(step);
      // A key that is a list or a map becomes its YAML, which may hold anything.
      return keys.get(text) ?? (/^[\w-]*$/.test(text) ? text : hideValues(text));
    },
    sentence(sentence) {
      const unquoted = quoted.reduce((rest, [text, shown]) => rest.replaceAll(text, () => shown), sentence);
      // Sentences name the form of a URL by an example, whose user is `user`.
      return hideValues(unquoted).replace(
        /([a-z][a-z0-9+.-]*:\/\/)(?!user(?::password)?@)[^\s"]*@/gi,
        `$1${HIDDEN}@`,
      );
    },
  };
}

/** Finds values as they are and as JSON escapes them, the longest first; in any case, since hosts of URLs become lower case. */
function searchOf(values: Iterable<string>): RegExp | undefined {
  const forms = [...values]
    .filter((value) => value.length >= SEARCHED_CHARACTERS)
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
  if (forms.length === 0) return undefined;
  const longestFirst = [...new Set(forms)].toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'gi');
}
