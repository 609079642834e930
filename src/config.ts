import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { addressOrOff } from './address.ts';
import { apiConfig } from './api/config.ts';
import { archiveConfig } from './archive/config.ts';
import { classifyConfig, resolveModelPaths, resolvePolicyPaths } from './classify/config.ts';
import { createMask } from './config-environment.ts';
import { problemLines } from './config-errors.ts';
import { MisconfiguredError, messageOf } from './errors.ts';
import { feedbackConfig, ingestConfig, sourceConfig } from './ingest/config.ts';
import { refuseSharedTopic } from './ingest/feedback-topic.ts';
import { isRemote } from './ingest/inputs.ts';
import { kafkaConfig, type KafkaConfig } from './kafka.ts';
import { connectionOf, s3ConnectionConfig } from './s3-connection-config.ts';
import { sinksConfig } from './sinks/config.ts';
import { duration } from './units.ts';
import { parseYaml } from './yaml-config.ts';

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
  rows: z
    .enum(['all', 'changed'])
    .describe(
      'Which rows are archived and told: `changed` are those whose decision differs from the one that they were archived with (`archived` in their metadata, by `sluice score`)',
    )
    .default('all'),
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
      listen: addressOrOff()
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
 * Parses and checks YAML text. `${NAME}` in a text is replaced by the environment variable NAME, which must be set, percent-encoded
 * in the user-info of a URL; errors show `***` instead. Paths in the file are relative to the file's directory. Throws
 * MisconfiguredError like {@link loadConfig}.
 */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv = process.env): Config {
  const config = parseYaml(text, { file, schema: configSchema, jsonSchema, env });
  return resolvePaths(config, dirname(resolve(file)));
}

/** Checks a configuration given as a value (by the demo, by flags, by tests); paths are relative to `directory`. */
export function configFrom(value: z.input<typeof configSchema>, directory = process.cwd()): Config {
  const result = configSchema.safeParse(value, { reportInput: true });
  if (result.success) return resolvePaths(result.data, directory);
  throw new MisconfiguredError(
    problemLines(result.error.issues, {
      locate: () => '',
      valueAt: (path) => path.reduce<unknown>((part, step) => Object(part)[step], value),
      schema: jsonSchema,
      mask: createMask(),
    }).join('\n'),
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
        ? {
            ...source,
            inputs: source.inputs.map((input) => (input === '-' || isRemote(input) ? input : at(input))),
          }
        : source,
    classify: {
      ...resolveModelPaths(classify, directory),
      ...resolvePolicyPaths(classify, directory),
      models: Object.fromEntries(
        Object.entries(classify.models).map(([name, model]) => [name, resolveModelPaths(model, directory)]),
      ),
      ...(classify.cache ? { cache: at(classify.cache) } : {}),
      s3: classify.s3 ?? (store.type === 's3' ? connectionOf(store) : s3ConnectionConfig.parse({})),
    },
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
