import { z } from 'zod';
import { duration } from '../../units.ts';
import { filterConfig } from '../filter.ts';
import { isAddressBlock } from './address.ts';
import { urlProblem } from './endpoint-url.ts';
import { SECRET_EXPECTATION, secretKey } from './secret.ts';

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
/** Headers that the request itself, or its signature, decides. */
const OWN_HEADERS =
  /^(webhook-.*|content-(type|length)|host|connection|transfer-encoding|expect|upgrade|te|trailer)$/i;

const HEADER_EXPECTATION = 'expected a text of printable ASCII characters, got something else';
const REDIS_EXPECTATION =
  'expected redis://host:port or, with TLS, rediss://user:password@host:port, got something else';

const endpointConfig = z.strictObject({
  url: z.string().describe('Where requests are sent: https, without user name and password'),
  secrets: z
    .array(
      // With these words for a wrong type too the value is not shown.
      z
        .string({ error: SECRET_EXPECTATION })
        .refine((text) => secretKey(text) !== undefined, SECRET_EXPECTATION),
    )
    .min(1)
    .max(8)
    .describe(
      'Signing secrets, newest first; while one replaces another, requests carry a signature by each. Write ${NAME} to take one from the environment',
    ),
  ...filterConfig,
  batch: z
    .strictObject({
      size: z.int().min(1).max(1000).describe('Most decisions in one request; 1: each alone').default(1),
      linger: duration()
        .refine((millis) => millis <= 60_000, 'expected at most 1m')
        .describe('Longest that a decision waits for others')
        .prefault('1s'),
    })
    .describe('Several decisions in one request')
    .prefault({}),
  concurrency: z.int().min(1).max(1000).describe('Most requests at a time, of one process').default(8),
  rate: z
    .strictObject({
      max: z.int().min(1).describe('Most decisions, of all processes together'),
      per: duration()
        .refine((millis) => millis >= 10, 'expected at least 10ms')
        .describe('In this time')
        .prefault('1s'),
    })
    .describe('How fast the endpoint is told; else as fast as it answers')
    .optional(),
  timeout: duration()
    .refine((millis) => millis >= 100 && millis <= 300_000, 'expected 100ms to 5m')
    .describe('Longest time one request may take, from the look-up of the name to the status')
    .prefault('15s'),
  headers: z
    .record(
      z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header'),
      z
        .string({ error: HEADER_EXPECTATION })
        .refine((value) => /^[\x20-\x7e\t]*$/.test(value), HEADER_EXPECTATION),
    )
    .describe('Headers of every request, such as `authorization`')
    .default({}),
});

/** One endpoint of the configuration after checks. */
export type EndpointConfig = z.infer<typeof endpointConfig>;

/** The `webhooks` member of the sinks' configuration. */
export const webhooksSinkConfig = z
  .strictObject({
    type: z
      .literal('webhooks')
      .describe('Signed HTTP requests (Standard Webhooks), which wait in Redis until they are delivered'),
    redis: z
      .string({ error: REDIS_EXPECTATION })
      .refine((text) => /^rediss?:$/.test(URL.parse(text)?.protocol ?? ''), REDIS_EXPECTATION)
      .describe(
        'Redis, as redis://user:password@host:port/database, or rediss:// with TLS; write ${NAME} for the password',
      ),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.:{}-]{1,100}$/, 'expected letters, digits and _.:{}-')
      .describe('What all keys begin with; pipelines that share a Redis need different ones')
      .default('sluice'),
    text: z.boolean().describe('Whether decisions carry the text that was moderated').default(false),
    deliver: z
      .enum(['in_run', 'own'])
      .describe('Who sends: each `sluice run`, or only processes of `sluice deliver`')
      .default('in_run'),
    remember: duration()
      .refine((millis) => millis >= 1000, 'expected at least 1s')
      .describe(
        'How long delivered and failed decisions are kept: so long a replay adds nothing, and `sluice webhooks redeliver` has them',
      )
      .prefault('3d'),
    backlog: z
      .int()
      .min(1)
      .describe('Most decisions that wait at one endpoint; those above become dead letters `backlog_full`')
      .default(1_000_000),
    retry: z
      .array(duration())
      .max(50)
      .describe(
        'Waits between attempts, a tenth shorter or longer by chance; after the last attempt a decision has failed',
      )
      .prefault(['5s', '5m', '30m', '2h', '5h', '10h', '14h', '20h', '24h']),
    breaker: z
      .strictObject({
        failures: z
          .int()
          .min(1)
          .describe('Failures in a row after which an endpoint is left alone')
          .default(10),
        pause: duration().describe('For how long; then one decision is tried').prefault('10s'),
        max_pause: duration().describe('The pause doubles up to this while that fails').prefault('5m'),
      })
      .describe('What spares an endpoint that does not work; who waits for it uses up no attempts')
      .prefault({}),
    allow_http: z.boolean().describe('Whether URLs may be http').default(false),
    allow_private: z
      .union([
        z.literal(false),
        z.array(z.string().refine(isAddressBlock, 'expected blocks such as 10.0.0.0/8')).min(1),
      ])
      .describe('Blocks of addresses, such as 10.0.0.0/8, that requests may go to beside public ones')
      .default(false),
    endpoints: z
      .record(
        z.string().regex(NAME, 'expected a name of lower-case letters, digits and dashes'),
        endpointConfig,
      )
      .describe('Receivers, by a name of yours'),
  })
  .superRefine((sink, context) => {
    const names = Object.entries(sink.endpoints);
    const problem = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (names.length === 0) problem(['endpoints'], 'expected at least one endpoint, got none');
    const seen = new Map<string, string>();
    for (const [name, endpoint] of names) {
      const wrong = urlProblem(endpoint.url, sink);
      if (wrong !== undefined) {
        problem(['endpoints', name, 'url'], wrong);
        continue;
      }
      const { actions, labels = [], customers = [] } = endpoint;
      const same = JSON.stringify([
        new URL(endpoint.url).href,
        ...[actions, labels, customers].map((each) => each.toSorted()),
      ]);
      const other = seen.get(same);
      if (other !== undefined)
        problem(
          ['endpoints', name],
          `expected another URL or filter than those of ${other}, got the same: each decision would be sent twice`,
        );
      seen.set(same, name);
      for (const header of Object.keys(endpoint.headers))
        if (OWN_HEADERS.test(header))
          problem(
            ['endpoints', name, 'headers', header],
            'expected another header: this one is made for each request',
          );
    }
  });

/** A webhooks sink's configuration after checks: durations in milliseconds. */
export type WebhooksConfig = z.infer<typeof webhooksSinkConfig>;
