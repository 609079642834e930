import { z } from 'zod';
import { duration, size } from '../units.ts';
import { parseFieldPath } from './field-path.ts';
import { PRESET_NAMES } from './presets.ts';

const fileSourceConfig = z.strictObject({
  type: z
    .literal('file')
    .describe('JSON lines in files, plain or gzip (told by the first bytes, not by the name)'),
  inputs: z
    .array(z.string().min(1))
    .min(1)
    .describe('Paths or globs (expanded at start); `-` is standard input'),
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

/** The `source:` section: where messages come from. Sizes in bytes once parsed. */
export const sourceConfig = z.discriminatedUnion('type', [fileSourceConfig]);

/** The source's configuration after checks. */
export type SourceConfig = z.infer<typeof sourceConfig>;
/** The configuration of a file source after checks. */
export type FileSourceConfig = z.infer<typeof fileSourceConfig>;

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
