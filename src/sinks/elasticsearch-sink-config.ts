import { z } from 'zod';
import { size } from '../units.ts';
import { filterConfig } from './filter.ts';

/** Name of the index where none is given. */
export const ELASTICSEARCH_INDEX = 'sluice-decisions-{month}';

/** Name of an index, with `{day}`, `{month}` and `{year}` for parts of the decision's date. */
export const elasticsearchIndexName = z
  .string()
  .max(200)
  .regex(
    /^(?![-_+.])([^A-Z\s\\/*?"<>|,#:{}]|\{(day|month|year)\})+$/,
    'expected a name of lower-case letters, digits and dashes, with {day}, {month} or {year} for the date',
  );

/** The `elasticsearch` member of the sinks' configuration. Sizes in bytes once parsed. */
export const elasticsearchSinkConfig = z
  .strictObject({
    type: z
      .literal('elasticsearch')
      .describe('Each decision as a document in Elasticsearch or OpenSearch, by bulk requests'),
    url: z
      .url({ protocol: /^https?$/, error: 'expected a URL such as https://localhost:9200' })
      .refine(
        (url) => !/^[^/]*\/\/[^/]*@/.test(url),
        'expected no user in it; there is username and password',
      )
      .describe('Address of a node or a load balancer'),
    username: z.string().min(1).describe('User name').optional(),
    password: z
      .string()
      .min(1)
      .describe('Password; write ${NAME} to take it from the environment')
      .optional(),
    api_key: z
      .string()
      .min(1)
      .describe(
        'Encoded API key of Elasticsearch, instead of a user; write ${NAME} to take it from the environment',
      )
      .optional(),
    index: elasticsearchIndexName
      .describe(
        'Index of the documents; `{day}`, `{month}` and `{year}` stand for the UTC date of the message (its time stamp in the source, else `created_at`)',
      )
      .default(ELASTICSEARCH_INDEX),
    text: z.boolean().describe('Whether documents carry the text that was moderated').default(false),
    request_bytes: size()
      .refine((bytes) => bytes >= 64 * 1024 && bytes <= 100 * 1024 ** 2, 'expected 64KiB to 100MiB')
      .describe('Most bytes of a request before compression; a larger document goes alone')
      .prefault('5MiB'),
    gzip: z.boolean().describe('Whether requests are compressed').default(true),
    ...filterConfig,
  })
  .refine(
    ({ username, password }) => (username === undefined) === (password === undefined),
    'expected username and password together',
  )
  .refine(
    ({ username, api_key }) => username === undefined || api_key === undefined,
    'expected username and password, or api_key, not both',
  );

/** The `elasticsearch` member of the sinks' configuration after checks. */
export type ElasticsearchSinkConfig = z.infer<typeof elasticsearchSinkConfig>;
