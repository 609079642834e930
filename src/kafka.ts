import { readFileSync } from 'node:fs';
import { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';
import type {
  KafkaConfig as ClientOptions,
  LogEntry,
  OauthbearerProviderResponse,
  SASLOptions,
} from 'kafkajs';
import kafkajs from 'kafkajs';
import { z } from 'zod';
import { messageOf, MisconfiguredError, RetryableError } from './errors.ts';
import { registerCodecs } from './kafka-codecs.ts';
import { quietTimers } from './kafkajs-timers.ts';
import { duration } from './units.ts';

const passwordField = z
  .string()
  .min(1)
  .describe('Password; write ${KAFKA_PASSWORD} to take it from the environment');
const usernameField = z.string().min(1).describe('User name');

/** The `kafka:` section: how brokers are reached, for the source and for topics written to. Durations in milliseconds once parsed. */
export const kafkaConfig = z.strictObject({
  brokers: z
    .array(z.string().regex(/^[^\s:/]+:\d{1,5}$/, 'expected host:port, such as localhost:9092'))
    .min(1)
    .describe('Addresses to start from, as host:port; the others are found by them'),
  client: z
    .enum(['kafkajs', 'confluent'])
    .describe('Library that reads: kafkajs, or confluent (optional package @confluentinc/kafka-javascript)')
    .default('kafkajs'),
  client_id: z
    .string()
    .min(1)
    .max(249)
    .describe('Name in the logs and quotas of the brokers')
    .default('sluice'),
  tls: z
    .union([
      z.boolean(),
      z.strictObject({
        ca: z
          .string()
          .min(1)
          .describe('PEM file of the authorities to trust instead of the known ones')
          .optional(),
        cert: z.string().min(1).describe('PEM file of the client certificate').optional(),
        key: z.string().min(1).describe('PEM file of its private key').optional(),
        server_name: z
          .string()
          .min(1)
          .describe('Name to expect in the certificates of the brokers')
          .optional(),
      }),
    ])
    .describe('Encryption: true, or the files that it needs')
    .default(false),
  sasl: z
    .discriminatedUnion('mechanism', [
      z.strictObject({
        mechanism: z.literal('plain').describe('PLAIN'),
        username: usernameField,
        password: passwordField,
      }),
      z.strictObject({
        mechanism: z.literal('scram-sha-256').describe('SCRAM-SHA-256'),
        username: usernameField,
        password: passwordField,
      }),
      z.strictObject({
        mechanism: z.literal('scram-sha-512').describe('SCRAM-SHA-512'),
        username: usernameField,
        password: passwordField,
      }),
      z.strictObject({
        mechanism: z.literal('oauthbearer').describe('OAUTHBEARER with the client credentials grant'),
        token_endpoint: z.url().describe('URL that gives tokens'),
        client_id: z.string().min(1).describe('Client id'),
        client_secret: z
          .string()
          .min(1)
          .describe('Client secret; write ${NAME} to take it from the environment'),
        scope: z.string().min(1).describe('Scope to ask for').optional(),
      }),
      z.strictObject({
        mechanism: z
          .literal('aws-msk-iam')
          .describe('Amazon MSK with IAM; credentials by the standard AWS chain'),
        region: z.string().min(1).describe('AWS region of the cluster'),
      }),
    ])
    .describe('How to log in; none by default')
    .optional(),
  connection_timeout: duration().describe('Longest wait for a connection').prefault('5s'),
  request_timeout: duration().describe('Longest wait for an answer').prefault('30s'),
});

/** The configuration of the connection to Kafka after checks. */
export type KafkaConfig = z.infer<typeof kafkaConfig>;

/** What a log line of the client library says; see {@link kafkaClientOptions}. */
export type KafkaLog = (entry: { readonly level: 'error' | 'warn'; readonly message: string }) => void;

/**
 * Options for `new Kafka(…)`: addresses, TLS, SASL, time-outs, and no retries of kafkajs's own but for `retries`. All codecs
 * are registered. kafkajs's warnings and errors go to `onLog`; without it nothing is printed, as callers see every error.
 * Throws MisconfiguredError when a TLS file cannot be read.
 */
export function kafkaClientOptions(
  config: KafkaConfig,
  { retries = 5, onLog }: { readonly retries?: number; readonly onLog?: KafkaLog } = {},
): ClientOptions {
  registerCodecs();
  quietTimers();
  return {
    clientId: config.client_id,
    brokers: config.brokers,
    ssl: tlsOptions(config.tls),
    ...(config.sasl ? { sasl: saslOptions(config.sasl) } : {}),
    connectionTimeout: config.connection_timeout,
    requestTimeout: config.request_timeout,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 5000 },
    logLevel: onLog ? kafkajs.logLevel.WARN : kafkajs.logLevel.NOTHING,
    logCreator: () => (entry) => onLog?.({ level: levelOf(entry), message: textOf(entry) }),
  };
}

function levelOf({ level }: LogEntry): 'error' | 'warn' {
  return level === kafkajs.logLevel.ERROR ? 'error' : 'warn';
}

function textOf({ namespace, log }: LogEntry): string {
  const error: unknown = log['error'];
  return `kafka ${namespace}: ${log.message}${typeof error === 'string' ? `: ${error}` : ''}`;
}

function tlsOptions(tls: KafkaConfig['tls']): Exclude<ClientOptions['ssl'], undefined> {
  if (typeof tls === 'boolean') return tls;
  const { ca, cert, key, server_name } = tls;
  return {
    ...(ca === undefined ? {} : { ca: [readPem('ca', ca)] }),
    ...(cert === undefined ? {} : { cert: readPem('cert', cert) }),
    ...(key === undefined ? {} : { key: readPem('key', key) }),
    ...(server_name === undefined ? {} : { servername: server_name }),
  };
}

function readPem(field: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new MisconfiguredError(`kafka.tls.${field}: expected a PEM file, got ${messageOf(error)}`);
  }
}

function saslOptions(sasl: NonNullable<KafkaConfig['sasl']>): SASLOptions {
  if (sasl.mechanism !== 'oauthbearer' && sasl.mechanism !== 'aws-msk-iam') {
    const { mechanism, username, password } = sasl;
    return { mechanism, username, password };
  }
  return {
    mechanism: 'oauthbearer',
    async oauthBearerProvider() {
      try {
        return await requestToken(sasl);
      } catch (error) {
        if (error instanceof MisconfiguredError) throw error;
        // kafkajs keeps nothing of an error but its message.
        throw new RetryableError(`${NO_TOKEN_NOW}: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}

/** In the message of an error of logging in that another attempt may mend. */
export const NO_TOKEN_NOW = 'no token for now';

type Mechanism<Name> = Extract<KafkaConfig['sasl'], { mechanism: Name }>;

/** What OAUTHBEARER shows to a broker. */
export interface AccessToken extends OauthbearerProviderResponse {
  /** Milliseconds UTC. */
  readonly expiresAt: number;
}

/** How long a token is taken to be good whose giver does not say. */
const TOKEN_MILLIS = 300_000;

/** A token for one of the mechanisms that need them. Throws RetryableError, or MisconfiguredError where it is refused. */
export async function requestToken(
  sasl: Mechanism<'oauthbearer'> | Mechanism<'aws-msk-iam'>,
): Promise<AccessToken> {
  if (sasl.mechanism === 'oauthbearer') return requestClientToken(sasl);
  // MSK takes a signed URL for the token (its "IAM access control" for clients in other languages than Java).
  const { token, expiryTime } = await generateAuthToken({ region: sasl.region });
  return { value: token, expiresAt: expiryTime };
}

/** By the client credentials grant (RFC 6749, section 4.4), id and secret by HTTP Basic. */
async function requestClientToken(sasl: Mechanism<'oauthbearer'>): Promise<AccessToken> {
  const where = `kafka.sasl.token_endpoint ${sasl.token_endpoint}`;
  const identity = [sasl.client_id, sasl.client_secret].map(encodeURIComponent).join(':');
  let response: Response;
  try {
    response = await fetch(sasl.token_endpoint, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
      headers: { authorization: `Basic ${Buffer.from(identity).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(sasl.scope === undefined ? {} : { scope: sasl.scope }),
      }),
    });
  } catch (error) {
    throw new RetryableError(`${where}: expected a token, got no answer: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const body: unknown = await response.json().catch(() => null);
  const { access_token: token, expires_in: seconds } = (body ?? {}) as Record<string, unknown>;
  if (response.ok && typeof token === 'string') {
    const millis = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : TOKEN_MILLIS;
    return { value: token, expiresAt: Date.now() + millis };
  }
  const problem = `${where}: expected a token, got status ${response.status}`;
  if (response.status >= 500 || response.status === 429) throw new RetryableError(problem);
  throw new MisconfiguredError(`${problem}; check kafka.sasl.client_id and client_secret`);
}
