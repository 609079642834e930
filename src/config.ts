import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { z } from 'zod';
import { isAddress } from './address.ts';
import { apiConfig } from './api/config.ts';
import { archiveConfig } from './archive/config.ts';
import { classifyConfig, resolveModel } from './classify/config.ts';
import { MisconfiguredError, messageOf } from './errors.ts';
import { feedbackConfig, ingestConfig, sourceConfig } from './ingest/config.ts';
import { refuseSharedTopic } from './ingest/feedback-topic.ts';
import { kafkaConfig, type KafkaConfig } from './kafka.ts';
import { sinksConfig } from './sinks/config.ts';
import { didYouMean } from './suggest.ts';
import { duration } from './units.ts';

const objectSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes')
    .describe('Name of the pipeline: in logs, and in the name of its position file')
    .default('sluice'),
  kafka: kafkaConfig.describe('How brokers are reached').optional(),
  source: sourceConfig.describe('Where messages come from'),
  feedback: feedbackConfig
    .describe('Flags, moderations and appeals: archived as a table of their own, never classified')
    .optional(),
  ingest: ingestConfig.describe('How messages are paced and decoded').prefault({}),
  classify: classifyConfig
    .describe('Which model scores the messages, and the policy that decides')
    .prefault({}),
  archive: archiveConfig.describe('Where and how rows are written as Parquet').prefault({}),
  dead_letters: z
    .strictObject({
      files: z
        .boolean()
        .describe('Write them as files in the archive, in the transaction of their flush')
        .default(true),
      topic: z
        .string()
        .min(1)
        .max(249)
        .describe(
          'Kafka topic that gets each of them, at least once, before its offset is committed; needs `kafka`',
        )
        .optional(),
    })
    .refine(
      ({ files, topic }) => files || topic !== undefined,
      'expected a topic beside `files: false`: a dead letter that is kept nowhere would be lost',
    )
    .describe('Where messages go that can never become rows')
    .prefault({}),
  sinks: sinksConfig
    .describe('Where decisions are told, by a name of yours: a topic, webhooks, databases')
    .default({}),
  sink_timeout: duration()
    .describe('Longest time one attempt to tell a sink may take before the next one')
    .prefault('30s'),
  api: apiConfig
    .describe('The HTTP API of `sluice api`: content and feedback in by HTTP; docs/api.md')
    .optional(),
  server: z
    .strictObject({
      listen: z
        .string()
        .refine((text) => text === 'off' || isAddress(text), 'expected host:port or off')
        .describe('Address of /metrics, /live and /ready as host:port, or `off`')
        .default('off'),
    })
    .describe('Metrics and health over HTTP')
    .prefault({}),
  stop_timeout: duration()
    .describe(
      'How long the last flush may take once a stop was asked for; keep it under the time until SIGKILL',
    )
    .prefault('25s'),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error', 'silent'])
        .describe('Least severity of a log line')
        .default('info'),
    })
    .describe('Log lines: JSON in ECS field names, on standard error')
    .prefault({}),
});

/** The whole configuration: each stage owns its piece. Keys are snake_case; sizes such as `128MiB`, durations such as `5m`. */
export const configSchema = objectSchema.superRefine(refuseSharedTopic);

/** A configuration after checks: sizes in bytes, durations in milliseconds, defaults filled in. */
export type Config = z.infer<typeof configSchema>;

/** Reads and checks a YAML file. Throws MisconfiguredError with one `file:line:column path: …` line per problem. */
export function loadConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new MisconfiguredError(`${file}: cannot read the configuration: ${messageOf(error)}`);
  }
  return parseConfig(text, file);
}

/**
 * Parses and checks YAML text. `${NAME}` in a value is replaced by the environment variable NAME, which must be set;
 * paths in the file are relative to the file's directory. Throws MisconfiguredError like {@link loadConfig}.
 */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv = process.env): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problems = document.errors.map(
    (error) => `${at(error.pos[0])} not valid YAML: ${error.message.split('\n')[0]!}`,
  );
  if (problems.length > 0) throw new MisconfiguredError(problems.join('\n'));

  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      node.value = node.value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_match, name: string) => {
        const value = env[name];
        if (value === undefined)
          problems.push(`${at(node.range?.[0] ?? 0)} environment variable ${name} is not set`);
        return value ?? '';
      });
    },
  });
  if (problems.length > 0) throw new MisconfiguredError(problems.join('\n'));

  const result = configSchema.safeParse(valueOf(document, file) ?? {}, { reportInput: true });
  if (result.success) return resolvePaths(result.data, dirname(resolve(file)));
  throw new MisconfiguredError(
    result.error.issues.flatMap((issue) => describe(issue, document, at)).join('\n'),
  );
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

/** Checks a configuration given as a value (by the demo, by flags, by tests); paths are relative to `directory`. */
export function configFrom(value: z.input<typeof configSchema>, directory = process.cwd()): Config {
  const result = configSchema.safeParse(value, { reportInput: true });
  if (result.success) return resolvePaths(result.data, directory);
  throw new MisconfiguredError(
    result.error.issues.map((issue) => `${issue.path.join('.')}: ${expectation(issue)}`).join('\n'),
  );
}

function resolvePaths(config: Config, directory: string): Config {
  const { kafka, source, classify, archive } = config;
  const at = (path: string) => resolve(directory, path);
  const { store } = archive;
  return {
    ...config,
    ...(kafka ? { kafka: { ...kafka, tls: resolveTls(kafka.tls, at) } } : {}),
    source:
      source.type === 'file'
        ? { ...source, inputs: source.inputs.map((input) => (input === '-' ? input : at(input))) }
        : source,
    classify: { ...classify, model: resolveModel(classify.model, directory) },
    archive: { ...archive, store: store.type === 'directory' ? { ...store, path: at(store.path) } : store },
  };
}

function resolveTls(tls: KafkaConfig['tls'], at: (path: string) => string): KafkaConfig['tls'] {
  if (typeof tls === 'boolean') return tls;
  const { ca, cert, key } = tls;
  return {
    ...tls,
    ...(ca ? { ca: at(ca) } : {}),
    ...(cert ? { cert: at(cert) } : {}),
    ...(key ? { key: at(key) } : {}),
  };
}

function describe(issue: z.core.$ZodIssue, document: Document, at: (offset: number) => string): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(issue.path, document);
    return issue.keys.map((key) => {
      const parent = issue.path.length === 0 ? document.contents : document.getIn(issue.path, true);
      const pair = isMap(parent)
        ? parent.items.find((item) => isScalar(item.key) && item.key.value === key)
        : undefined;
      const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
      return `${at(offset ?? 0)} ${[...issue.path, key].join('.')}: unknown key${didYouMean(key, known) || `; known here: ${known.join(', ')}`}`;
    });
  }
  return [
    `${at(offsetOf(issue.path, document))} ${issue.path.join('.') || '(top level)'}: ${expectation(issue)}`,
  ];
}

/** Where a path stands in the document; for a missing key, where its nearest existing parent does. */
function offsetOf(path: readonly PropertyKey[], document: Document): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    const range =
      node && typeof node === 'object' && 'range' in node ? (node.range as [number] | undefined) : undefined;
    if (range) return range[0];
  }
  return 0;
}

function expectation(issue: z.core.$ZodIssue): string {
  const got = issue.input === undefined ? 'nothing' : JSON.stringify(issue.input);
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the other kinds have messages that say it all
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('expected') ? issue.message : `expected ${issue.expected}, got ${got}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}, got ${got}${
        typeof issue.input === 'string' ? didYouMean(issue.input, issue.values.map(String)) : ''
      }`;
    case 'too_small':
      return `expected at least ${issue.minimum}, got ${got}`;
    case 'too_big':
      return `expected at most ${issue.maximum}, got ${got}`;
    case 'invalid_union':
      return unionExpectation(issue, got);
    case 'custom':
      return issue.message;
    case 'invalid_key':
      return `${issue.issues[0]?.message ?? issue.message}, got ${JSON.stringify(issue.path.at(-1))}`;
    default:
      return `${issue.message}, got ${got}`;
  }
}

function unionExpectation(issue: z.core.$ZodIssueInvalidUnion, got: string): string {
  const { discriminator, input } = issue;
  if (discriminator !== undefined && typeof input === 'object' && input !== null) {
    const value: unknown = Reflect.get(input, discriminator);
    const known =
      /Expected (.*)$/.exec(issue.message)?.[1]?.replaceAll("'", '"').replaceAll(' | ', ' or ') ??
      `another ${discriminator}`;
    return `expected ${known}, got ${value === undefined ? 'nothing' : JSON.stringify(value)}`;
  }
  const wanted = issue.errors.flatMap(([first]) => (first ? [expectation(first)] : []));
  const kinds = wanted.map((text) => text.replace(/^expected /, '').replace(/, got [^]*$/, ''));
  return `expected ${[...new Set(kinds)].join(' or ') || 'another value'}, got ${got}`;
}

/** Keys that the schema knows below a path of the document, for did-you-mean. */
function keysAt(path: readonly PropertyKey[], document: Document): string[] {
  let schema = jsonSchema();
  for (const [depth, step] of path.entries()) {
    const properties = memberAt(schema, path.slice(0, depth), document).properties;
    const next =
      typeof step === 'number' ? schema.items : (properties?.[String(step)] ?? schema.additionalProperties);
    if (!next) return [];
    schema = next;
  }
  return Object.keys(memberAt(schema, path, document).properties ?? {});
}

/** The member of a union that the document means: the one whose constants, such as `type`, it has. */
function memberAt(schema: JsonSchema, path: readonly PropertyKey[], document: Document): JsonSchema {
  const members = (schema.oneOf ?? schema.anyOf ?? []).filter(({ properties }) => properties);
  const isMeant = ({ properties = {} }: JsonSchema) =>
    Object.entries(properties).every(
      ([key, { const: value }]) => value === undefined || document.getIn([...path, key]) === value,
    );
  return members.find(isMeant) ?? members[0] ?? schema;
}

/** The parts of JSON Schema that Sluice reads back from its own schema. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
}

/** The configuration as JSON Schema (draft 2020-12), for editors and `sluice schema --json`. */
export function jsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}
