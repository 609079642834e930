import { OperationalError, RetryableError, StoreError } from '../errors.ts';
import { TLS_ADVICE, errorCode, isNetworkError, isTlsError } from './connection-error.ts';

/** What the SDK's errors carry; everything may be missing. */
interface ServiceError {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly statusCode?: number };
}

/**
 * Errors that say: slower. The SDK has tried three times.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const THROTTLED = new Set(
  (
    'ProvisionedThroughputExceededException ThrottlingException Throttling RequestLimitExceeded ' +
    'TooManyRequestsException'
  ).split(' '),
);
/** Others that pass by themselves. */
const PASSING = new Set(
  (
    'InternalServerError InternalFailure ServiceUnavailable TransactionConflictException ' +
    'ReplicatedWriteConflictException RequestTimeout RequestTimeTooSkewed LimitExceededException'
  ).split(' '),
);
/** Of a ValidationException: what one item is refused for (its size, that of its keys), not the table or the request. */
const REFUSED = /size|bytes|empty (string|value)|nesting/i;
const CREDENTIALS =
  'give credentials by a role of the machine, by AWS_PROFILE, or by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/** Why DynamoDB refuses an item for what is in it; undefined for any other failure. */
export function refusalOf(
  error: unknown,
): { readonly code: 'too_large' | 'rejected'; readonly detail: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const detail = firstLine(error);
  if (error.name === 'ItemCollectionSizeLimitExceededException') return { code: 'too_large', detail };
  if (error.name !== 'ValidationException' || !REFUSED.test(detail)) return undefined;
  return { code: /size|bytes/i.test(detail) ? 'too_large' : 'rejected', detail };
}

/** Whether the table, or the account, takes no more for now. */
export function isThrottled(error: unknown): boolean {
  return error instanceof Error && (THROTTLED.has(error.name) || statusOf(error) === 429);
}

/**
 * What the SDK threw as one of ours: RetryableError for what passes by itself, StoreError for what somebody has to mend, with
 * the way out. What is neither an answer nor a failure of the connection is a bug, and returned as it is.
 */
export function dynamodbError(
  error: unknown,
  request: {
    /** Name of the operation: `PutItem` … */
    readonly operation: string;
    /** Key of the sink in the configuration. */
    readonly at: string;
    readonly table: string;
    /** How to make the table. */
    readonly create: string;
  },
): unknown {
  if (!(error instanceof Error) || error instanceof OperationalError) return error;
  const { operation, at, table, create } = request;
  const status = statusOf(error);
  const symbol = errorCode(error);
  const where = `${at}: table ${table}: ${operation}`;
  const stop = (text: string) => new StoreError(`${where}: ${text}`, { cause: causeOf(error) });
  const retry = (text: string) => new RetryableError(`${where}: ${text}`, { cause: causeOf(error) });

  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError')
    return stop(`no credentials: ${firstLine(error)}; ${CREDENTIALS}`);
  if (error.message.startsWith('Region is missing'))
    return stop(`expected a region; set ${at}.region or AWS_REGION`);
  if (isTlsError(error) && status === undefined)
    return stop(`no TLS connection: ${firstLine(error)} (${symbol}); ${TLS_ADVICE}`);
  if (isNetworkError(error) || error.name === 'TimeoutError' || error.name === 'AbortError')
    return retry(`no answer: ${firstLine(error)}${symbol ? ` (${symbol})` : ''}`);
  if (status === undefined) return error;

  const { requestId } = (error as ServiceError).$metadata ?? {};
  const id = requestId ? `, request ${requestId}` : '';
  const answer = `${error.name} (${status}${id}): ${firstLine(error)}`;
  // An answer of 200 that cannot be read was cut, or is no answer of DynamoDB.
  if (isThrottled(error) || PASSING.has(error.name) || status >= 500 || status < 300) return retry(answer);
  switch (error.name) {
    case 'ResourceNotFoundException':
      return stop(`${answer}; make the table: ${create}`);
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'MissingAuthenticationTokenException':
    case 'IncompleteSignatureException':
      return stop(`${answer}; these credentials are not known there: ${CREDENTIALS}`);
    case 'ExpiredTokenException':
      return stop(
        `${answer}; give credentials that renew themselves (a role), or start again with fresh ones`,
      );
    case 'AccessDeniedException':
      return stop(`${answer}; allow dynamodb:${operation} on the table to the role of these credentials`);
    default:
      return stop(answer);
  }
}

function statusOf(error: Error): number | undefined {
  const { $metadata, $response } = error as ServiceError;
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** Name and text only: the SDK's errors drag the connection along, with signed headers and session tokens. */
function causeOf(error: Error): Error {
  const cause = new Error(firstLine(error));
  cause.name = error.name;
  return cause;
}

function firstLine(error: Error): string {
  return error.message.split('\n')[0]!.trim() || error.name;
}
