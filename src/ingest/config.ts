import { z } from 'zod';
import { duration, size } from '../units.ts';
import { parseFieldPath } from './field-path.ts';
import { PRESET_NAMES } from './presets.ts';

/** The `file` member of {@link sourceConfig}. */
export const fileSourceConfig = z.strictObject({
  type: z
    .literal('file')
    .describe(
      'JSON lines in files, plain or gzip, or Parquet files (told by the first bytes, not by the name)',
    ),
  inputs: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      'Paths or globs (expanded at start), objects as `s3://bucket/key` (by `classify.s3`); `-` is standard input',
    ),
  topic: z
    .string()
    .min(1)
    .max(249)
    .describe('Topic name of the rows; each file is a partition of it')
    .default('file'),
  batch_messages: z.int().min(1).max(65_536).describe('Most messages that travel together').default(1024),
  batch_bytes: size()
    .describe('Most bytes that travel together; a longer message travels alone')
    .prefault('1MiB'),
  max_line_bytes: size()
    .refine((bytes) => bytes >= 1 && bytes <= 256 * 1024 ** 2, 'expected 1B to 256MiB')
    .describe(
      'A longer line is not kept whole: its beginning (at most 1 MiB) becomes a dead letter `too_large`',
    )
    .prefault('64MiB'),
});

const positionText = z.union([
  z.enum(['earliest', 'latest']),
  z.iso.datetime({
    offset: true,
    error: 'expected earliest, latest, or a time such as 2026-03-01T00:00:00Z',
  }),
]);

/** Why a text is no regular expression; undefined when it is one. */
function patternError(text: string): string | undefined {
  try {
    RegExp(text, 'u');
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const topicName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'expected a topic name: letters, digits, dots, dashes');

const kafkaSourceConfig = z
  .strictObject({
    type: z.literal('kafka').describe('Topics of Kafka, by a consumer group; `kafka:` says where'),
    topics: z.array(topicName).min(1).describe('Topics to read').optional(),
    pattern: z
      .string()
      .min(1)
      .superRefine((text, context) => {
        const error = patternError(text);
        if (error !== undefined)
          context.addIssue({
            code: 'custom',
            message: `expected a regular expression: ${error}`,
            input: text,
          });
      })
      .describe(
        'Regular expression; topics that match are read, also those that come later. Instead of `topics`',
      )
      .optional(),
    group: z
      .string()
      .min(1)
      .max(249)
      .describe('Consumer group; default: the name of the pipeline')
      .optional(),
    start: positionText
      .describe(
        'Where a partition begins that the group never committed: earliest, latest, or a time such as 2026-03-01T00:00:00Z',
      )
      .default('earliest'),
    group_protocol: z
      .enum(['classic', 'consumer'])
      .describe(
        'Who deals out partitions: a process of the group, or the brokers (`consumer`, KIP-848, Kafka 4; needs `client: confluent`)',
      )
      .default('classic'),
    assignor: z
      .enum(['cooperative-sticky', 'range', 'roundrobin'])
      .describe(
        'How a classic group deals them out, the same for all processes; default: roundrobin with kafkajs, which knows no other, cooperative-sticky with confluent',
      )
      .optional(),
    instance: z
      .string()
      .min(1)
      .max(249)
      .describe(
        'Name of this process in the group (static membership): when it is back within session_timeout, it has its partitions still; needs `client: confluent`',
      )
      .optional(),
    session_timeout: duration()
      .describe('A process that is silent for so long loses its partitions to the others')
      .prefault('45s'),
    rebalance_timeout: duration()
      .describe(
        'Longest that all processes wait for one of them to give its partitions back, its last flush included',
      )
      .prefault('60s'),
    heartbeat_interval: duration().describe('How often a process shows that it lives').prefault('3s'),
    metadata_max_age: duration()
      .describe('How often new partitions and, with `pattern`, new topics are looked for')
      .prefault('1m'),
    max_wait: duration()
      .describe('Longest that a broker waits for something new before it answers')
      .prefault('500ms'),
    max_bytes: size().describe('Most bytes (compressed) of one answer of a broker').prefault('16MiB'),
    max_bytes_per_partition: size()
      .describe('Most bytes (compressed) of one partition in an answer; a larger record batch comes alone')
      .prefault('1MiB'),
    batch_messages: z.int().min(1).max(65_536).describe('Most messages that travel together').default(1024),
    batch_bytes: size()
      .describe('Most bytes that travel together; a longer message travels alone')
      .prefault('1MiB'),
  })
  .superRefine(({ topics, pattern, session_timeout, heartbeat_interval }, context) => {
    if ((topics === undefined) === (pattern === undefined)) {
      context.addIssue({
        code: 'custom',
        path: ['topics'],
        message: `expected either topics or pattern, got ${topics ? 'both' : 'neither'}`,
      });
    }
    if (heartbeat_interval * 3 > session_timeout) {
      context.addIssue({
        code: 'custom',
        path: ['heartbeat_interval'],
        message: `expected at most a third of session_timeout (${session_timeout} ms), got ${heartbeat_interval} ms`,
      });
    }
  });

/** The `feedback:` section. */
export const feedbackConfig = z.strictObject({
  topic: topicName.describe(
    'Topic whose messages are feedback; a Kafka source reads it beside its own, in the same group',
  ),
});

/** The `source:` section: where messages come from. Sizes in bytes and durations in milliseconds once parsed. */
export const sourceConfig = z.discriminatedUnion('type', [fileSourceConfig, kafkaSourceConfig]);

/** The source's configuration after checks. */
export type SourceConfig = z.infer<typeof sourceConfig>;
/** The configuration of a file source after checks. */
export type FileSourceConfig = z.infer<typeof fileSourceConfig>;
/** The configuration of a Kafka source after checks. */
export type KafkaSourceConfig = z.infer<typeof kafkaSourceConfig>;

function pathProblem(text: string): string | undefined {
  try {
    parseFieldPath(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const fieldPath = z.string().superRefine((text, context) => {
  const message = pathProblem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message, input: text });
});
const field = (what: string) =>
  z
    .union([fieldPath, z.array(fieldPath).min(1)])
    .describe(
      `${what}: path, $key, $topic, $header.NAME or =constant, or a list of which the first present one wins`,
    )
    .optional();
const bodyPath = fieldPath.refine((text) => !/^[$=]/.test(text), 'expected a path such as metadata or a.b');

/** The `ingest:` section: how messages are paced and decoded. Sizes in bytes and durations in milliseconds once parsed. */
export const ingestConfig = z.strictObject({
  preset: z.enum(PRESET_NAMES).describe('Kind of message: which field is found where').default('sluice'),
  fields: z
    .strictObject({
      id: field("The producer's id of the content"),
      customer: field('The customer; required'),
      text: field('The text to moderate; required'),
      user: field('Who wrote it'),
      type: field('Kind of content'),
      lang: field('Language as a BCP 47 tag'),
      created_at: field('Event time: ISO 8601, or a number since 1970 in s, ms, µs or ns'),
      metadata: z
        .union([bodyPath, z.array(bodyPath).min(1)])
        .describe(
          'Object whose entries join the metadata: path, or a list of which the first present one wins',
        )
        .optional(),
    })
    .describe('Fields that are found elsewhere than the preset says')
    .prefault({}),
  max_message_bytes: size().describe('A longer message becomes a dead letter `too_large`').prefault('1MiB'),
  max_text_bytes: size()
    .describe('A longer text (in UTF-8) becomes a dead letter `too_large`')
    .prefault('1MiB'),
  max_customer_bytes: size()
    .describe('A longer customer id (in UTF-8) becomes a dead letter `too_large`')
    .prefault('256B'),
  max_future: duration()
    .describe('An event time further ahead of its receipt becomes a dead letter `bad_timestamp`')
    .prefault('2d'),
  in_flight_bytes: size()
    .describe('Most bytes on their way through the workers; reading waits above')
    .prefault('64MiB'),
  dead_letters: z
    .strictObject({
      max_consecutive: z
        .int()
        .min(1)
        .describe('So many dead letters in a row in one partition stop the pipeline instead')
        .default(1000),
    })
    .describe('When dead letters mean that the whole stream is wrong')
    .prefault({}),
});

/** The configuration of ingest after checks. */
export type IngestConfig = z.infer<typeof ingestConfig>;
