import { isMap, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import type { JsonSchema } from './config.ts';
import { createMask, fillFromEnvironment, type Filling } from './config-environment.ts';
import { problemLines } from './config-errors.ts';
import { MisconfiguredError, messageOf } from './errors.ts';

/** What {@link parseYaml} reads by. */
export interface YamlOptions<T> {
  /** What errors call the text: its path or address. */
  readonly file: string;
  readonly schema: z.ZodType<T>;
  /** The schema again, for the keys that it knows. */
  readonly jsonSchema: () => JsonSchema;
  /** Values of `${NAME}` in texts; else such texts stay as they are. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Parses YAML and checks it by a schema. Throws MisconfiguredError with one `file:line:column path: …` line per problem. */
export function parseYaml<T>(text: string, { file, schema, jsonSchema, env }: YamlOptions<T>): T {
  const lines = new LineCounter();
  // Keys are compared below, as texts. Warnings would show keys that are lists or maps, and what the environment filled in.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
  const document = parseDocument(text, options);
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  refuse(
    document.errors.map((error) => `${at(error.pos[0])} not valid YAML: ${error.message.split('\n')[0]!}`),
  );
  keepKeys(document);
  const { mask, missing }: Filling = env
    ? fillFromEnvironment(document, env)
    : { mask: createMask(), missing: [] };
  refuse(missing.map(({ name, offset }) => `${at(offset)} environment variable ${name} is not set`));
  refuse(doubledKeys(document).map((offset) => `${at(offset)} not valid YAML: Map keys must be unique`));

  const result = schema.safeParse(valueOf(document, file) ?? {}, { reportInput: true });
  if (result.success) return result.data;
  throw new MisconfiguredError(
    problemLines(result.error.issues, {
      locate: (path, part) => `${at(offsetOf(path, part, document))} `,
      valueAt: (path) => document.getIn(path),
      schema: jsonSchema,
      mask,
    }).join('\n'),
  );
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new MisconfiguredError(problems.join('\n'));
}

/** Keys are texts, as they are written: 007 is another customer than 7, and a long number has more digits than a double. */
function keepKeys(document: Document): void {
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key) && typeof key.value !== 'string' && key.source !== undefined) key.value = key.source;
    },
  });
}

/** Offsets of keys that are the same text as one before them, such as `7` and `"7"`, but not `7` and `007`; of two the last would hold. */
function doubledKeys(document: Document): number[] {
  const offsets: number[] = [];
  visit(document, {
    Map(_, { items }) {
      const known = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (known.has(key.value)) offsets.push(key.range?.[0] ?? 0);
        known.add(key.value);
      }
    },
  });
  return offsets;
}

function valueOf(document: Document, file: string): unknown {
  try {
    const value: unknown = document.toJS();
    // Values that contain themselves, by anchors, fit no schema and cannot be shown.
    JSON.stringify(value);
    return value;
  } catch (error) {
    throw new MisconfiguredError(
      `${file}: not valid YAML: ${messageOf(error).split('\n')[0]!} (a value that begins with * or & needs quotes)`,
    );
  }
}

/** Where a path stands in the document; for a missing key, where its nearest existing parent does. */
function offsetOf(path: readonly PropertyKey[], part: 'key' | 'value', document: Document): number {
  if (part === 'key') {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && key.value === path.at(-1))
      : undefined;
    return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
  }
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    const range =
      node && typeof node === 'object' && 'range' in node ? (node.range as [number] | undefined) : undefined;
    if (range) return range[0];
  }
  return 0;
}
