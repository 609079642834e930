import { z } from 'zod';
import { addressOrOff, isAddress } from '../address.ts';
import { duration, size, timeLimit } from '../units.ts';
import { digestOf, HASHED_KEY } from './keys.ts';

/** Fewest characters of a plain key: what is shorter can be guessed. */
const KEY_CHARACTERS = 16;

// Messages of their own everywhere: the usual ones show the value, which is a secret here.
const keyField = z
  .string('expected a key as text (in quotes)')
  .refine((key) => (key.startsWith('sha256:') ? HASHED_KEY.test(key) : key.length >= KEY_CHARACTERS), {
    error: `expected a key of at least ${KEY_CHARACTERS} characters, or sha256: and the 64 hex digits of one`,
    abort: true,
  })
  // Header values are trimmed, and other bytes than ASCII come in by several encodings.
  .refine((key) => /^[\x21-\x7e]*$/.test(key), 'expected a key of visible ASCII characters without spaces');

const keysField = z
  .record(
    z.string().min(1),
    z.array(keyField, 'expected a list of keys').min(1),
    'expected customers with lists of keys',
  )
  .refine((keys) => Object.keys(keys).length > 0, 'expected at least one customer')
  .superRefine((keys, context) => {
    const owners = new Map<string, string>();
    for (const [customer, own] of Object.entries(keys)) {
      for (const [index, key] of own.entries()) {
        const digest = digestOf(key).toString('hex');
        const owner = owners.get(digest);
        if (owner !== undefined)
          context.addIssue({
            code: 'custom',
            path: [customer, index],
            message: `expected a key of its own, got one of ${owner === customer ? 'the same list' : `customer ${owner}`}`,
          });
        owners.set(digest, customer);
      }
    }
  });

/** The `api:` section: the HTTP door. Sizes in bytes and durations in milliseconds once parsed. */
export const apiConfig = z.strictObject({
  listen: z
    .string()
    .refine(isAddress, { error: ({ input }) => `expected host:port, got ${JSON.stringify(input)}` })
    .describe('Address of the HTTP API as host:port; TLS is for whatever stands before it')
    .default('127.0.0.1:8080'),
  keys: keysField.describe(
    'Customers and their keys, several while one rotates: at least 16 characters, or `sha256:` and the SHA-256 of one in hex',
  ),
  topic: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'expected a topic name: letters, digits, dots, dashes')
    .describe('Topic that content is written to; default: that of the source, when it reads one')
    .optional(),
  wait: duration()
    .describe('How long a request that asks for classifiers waits for them, if it does not say')
    .prefault('4s'),
  max_wait: duration()
    .describe('Longest wait that a request may ask for; `0s`: nothing is waited for, no decisions are read')
    .prefault('30s'),
  max_body: size()
    .refine((bytes) => bytes >= 1, 'expected at least 1B')
    .describe('Longest body of a request')
    .prefault('256KiB'),
  max_in_flight: z
    .int()
    .min(1)
    .describe('Most requests that are read or written at a time; more are answered 503')
    .default(1000),
  max_waits: z
    .int()
    .min(1)
    .describe('Most requests that wait for classifiers at a time; more are answered at once, without them')
    .default(2000),
  customer_share: z
    .number()
    .gt(0)
    .max(1)
    .describe(
      'Part of max_in_flight, and of max_waits, that one customer may take where there are several; beyond it requests are answered 429, or at once',
    )
    .default(0.5),
  max_connections: z
    .int()
    .min(1)
    .describe('Most connections at a time; more are closed at once')
    .default(4096),
  read_timeout: timeLimit().describe('Longest time that a client may take to send a request').prefault('10s'),
  produce_timeout: timeLimit()
    .describe('Longest wait for the brokers to have a message; then the answer is 503')
    .prefault('5s'),
  metrics_listen: addressOrOff()
    .describe("Address of this process's /metrics, /live and /ready as host:port, or `off`")
    .default('off'),
});

/** The configuration of the HTTP API after checks. */
export type ApiConfig = z.infer<typeof apiConfig>;
