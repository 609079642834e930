import {
  S3Client,
  type $Command,
  type S3ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-s3';
import { limiter } from './concurrency.ts';
import type { S3ConnectionConfig } from './s3-connection-config.ts';
import { s3Error, type S3Place } from './s3-errors.ts';

/** Attempts of the SDK for each request; whoever gets the RetryableError after that decides how long to go on. */
const ATTEMPTS = 3;

/** A command of the SDK. */
export type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = $Command<
  Input,
  Output,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** Requests to one bucket. */
export interface S3Connection {
  readonly place: S3Place;
  /**
   * Sends a request as soon as fewer than `connections` are under way. Throws RetryableError or StoreError whose
   * cause has the name of the SDK's error; see {@link s3Error}.
   */
  send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: S3Command<Input, Output>,
  ): Promise<Output>;
  /** HTTP requests so far by operation, retries included. */
  requests(): Readonly<Record<string, number>>;
  /** The server's clock at its last answer, milliseconds UTC, whole seconds; undefined before the first one with a date. */
  serverTime(): number | undefined;
  close(): void;
}

/**
 * Connects to a bucket of S3 or of a server that speaks its protocol. Credentials come from the standard chain: environment,
 * profile, web identity, the roles of containers and machines. Nothing is sent yet.
 */
export function connectS3(config: S3ConnectionConfig, place: S3Place): S3Connection {
  const { connections } = config;
  const agent = { keepAlive: true, maxSockets: connections };
  const client = new S3Client({
    ...(config.region === undefined ? {} : { region: config.region }),
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    forcePathStyle: config.path_style,
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    cacheMiddleware: true,
    // Our own checksums are native; the SDK would compute others in JavaScript, and clones refuse some of them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Asking first costs large parts a round trip, and a connection that is not kept.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: config.connect_timeout,
      socketTimeout: config.idle_timeout,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
  const counts: Record<string, number> = {};
  let date: number | undefined;
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const operation = operationOf(commandName);
        counts[operation] = (counts[operation] ?? 0) + 1;
        const result = await next(args);
        const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> };
        const seen = Date.parse(headers?.['date'] ?? '');
        if (!Number.isNaN(seen)) date = seen;
        return result;
      },
    { name: 'sluiceRequests', step: 'deserialize', priority: 'low' },
  );
  const bounded = limiter(connections);

  return {
    place,
    send: (command) =>
      bounded(async () => {
        try {
          return await client.send(command);
        } catch (error) {
          const { Key: key } = command.input as { readonly Key?: string };
          throw s3Error(error, { ...place, operation: operationOf(command.constructor.name), key });
        }
      }),
    requests: () => ({ ...counts }),
    serverTime: () => date,
    close: () => client.destroy(),
  };
}

function operationOf(commandName: string): string {
  return commandName.replace(/Command$/, '');
}
