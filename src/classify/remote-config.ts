import { z } from 'zod';
import { timeLimit } from '../units.ts';

const HEADER_EXPECTATION = 'expected a text of printable ASCII characters, got something else';
/** Headers that the request itself decides. */
const OWN_HEADERS =
  /^(content-(type|length|encoding)|inference-header-content-length|host|connection|transfer-encoding|expect)$/i;

function isServerUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search;
}

const connection = {
  url: z
    .string()
    .refine(isServerUrl, 'expected http://host:port or https://…, user and password as a header instead')
    .describe('Address of the server, such as http://triton:8000'),
  headers: z
    .record(
      z
        .string()
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header')
        .refine((name) => !OWN_HEADERS.test(name), 'expected a header that requests do not set themselves'),
      z
        .string({ error: HEADER_EXPECTATION })
        .refine((value) => /^[\x20-\x7e\t]*$/.test(value), HEADER_EXPECTATION),
    )
    .describe(
      'Headers of every request, such as `authorization: Bearer ${TOKEN}` with the variable from the environment',
    )
    .default({}),
  time_limit: timeLimit()
    .describe('Longest time one request may take; over it, it is tried again')
    .prefault('10s'),
  concurrency: z
    .int()
    .min(1)
    .max(256)
    .describe('Most requests at a time, of each worker; further ones wait')
    .default(4),
  batch_texts: z
    .int()
    .min(1)
    .max(10_000)
    .describe('Most texts in one request; never more than the server says that it takes')
    .default(32),
};

const activation = () => z.enum(['none', 'sigmoid', 'softmax']);

/** A model behind Hugging Face's Text Embeddings Inference: `tei: { url: … }`. */
export const teiConfig = z.strictObject({
  ...connection,
  activation: activation()
    .exclude(['none'])
    .describe('How logits become probabilities; else softmax, and sigmoid for a single label')
    .optional(),
  version: z
    .string({ error: 'expected a version in quotes' })
    .regex(/^[^@\s]+$/, 'expected a version without @ and spaces')
    .describe("Version recorded with each decision; else the first 8 digits of the model's commit")
    .optional(),
});

/** A checked {@link teiConfig}: times in milliseconds. */
export type TeiConfig = z.infer<typeof teiConfig>;

/** A model behind a server of the Open Inference Protocol, such as Triton: `triton: { url: …, model: … }`. */
export const tritonConfig = z.strictObject({
  ...connection,
  model: z
    .string()
    .regex(/^[^@\s/]+$/, 'expected the name of a model, without @, / and spaces')
    .describe('Name of the model on the server'),
  version: z
    .string({ error: 'expected a version in quotes, such as "3"' })
    .regex(/^[^@\s/]+$/, 'expected a version without @, / and spaces')
    .describe('Version of the model; else the newest that the server has when it is opened')
    .optional(),
  input: z
    .string()
    .min(1)
    .describe('Name of the input of type BYTES that takes texts; else the only one')
    .optional(),
  output: z
    .string()
    .min(1)
    .describe('Name of the output, texts × labels; else `logits`, or the only one')
    .optional(),
  labels: z
    .array(z.string().min(1))
    .min(1)
    .describe('Labels in the order of the output; else those of `folder`, or of the server’s label file')
    .optional(),
  activation: activation()
    .describe(
      'How the output becomes probabilities; else as `folder` says, or `none`: the server gives probabilities',
    )
    .optional(),
  folder: z
    .string()
    .min(1)
    .describe(
      'Model folder with config.json and tokenizer.json: labels, and token ids for a model that takes those',
    )
    .optional(),
});

/** A checked {@link tritonConfig}: times in milliseconds. */
export type TritonConfig = z.infer<typeof tritonConfig>;

/** What both kinds of server are reached by. */
export type RemoteConfig = Pick<
  TritonConfig,
  'url' | 'headers' | 'time_limit' | 'concurrency' | 'batch_texts'
>;
