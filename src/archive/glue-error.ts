import { isOperational, messageOf, MisconfiguredError, RetryableError } from '../errors.ts';

/** Which request failed, for its error. */
export interface GlueRequest {
  /** Name of the operation, which is that of the IAM action as well: `GetTable`. */
  readonly operation: string;
  /** Database, or `database.table`. */
  readonly subject: string;
  readonly region: string;
}

const CREDENTIALS =
  /^(UnrecognizedClient|InvalidSignature|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|MissingAuthenticationToken|IncompleteSignature)/;
const UNREACHABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

/**
 * A failed request of the Glue catalog as one of our errors, with the way out. RetryableError: the same command may work
 * later. Error names: https://docs.aws.amazon.com/glue/latest/webapi/CommonErrors.html and each operation's page. What is
 * no answer of AWS, and no failure to reach it, comes back as it is.
 */
export function glueError(error: unknown, { operation, subject, region }: GlueRequest): unknown {
  if (isOperational(error) || !(error instanceof Error)) return error;
  const what = `Glue ${operation} of ${subject} in ${region}`;
  const says = (way: string) => new MisconfiguredError(`${what}: ${way}`, { cause: error });
  const { name } = error;
  const status = statusOf(error);
  if (name === 'AccessDeniedException' || name === 'AccessDenied') {
    return /lake formation/i.test(error.message)
      ? says(`Lake Formation refuses it: grant its permission there; ${error.message}`)
      : says(
          `access denied: allow the IAM action glue:${operation} on the catalog, the database and the table (deploy/aws/glue-apply.json); ${error.message}`,
        );
  }
  if (name.startsWith('ExpiredToken'))
    return says('the credentials have expired: renew them (aws sso login, a new session)');
  if (CREDENTIALS.test(name)) {
    return says(
      `the credentials are not valid: check AWS_PROFILE or AWS_ACCESS_KEY_ID, the clock, and whether the account has this region switched on; ${error.message}`,
    );
  }
  if (name === 'CredentialsProviderError') {
    return says(
      'no credentials: expected them by the standard chain (environment, AWS_PROFILE, the role of the machine or pod)',
    );
  }
  if (name === 'AlreadyExistsException' || name === 'ConcurrentModificationException') {
    return new RetryableError(
      `${what}: somebody else changed it at the same time; run the command again to see what is left to do`,
      { cause: error },
    );
  }
  if (name === 'TimeoutError' || UNREACHABLE.has(codeOf(error))) {
    return new RetryableError(
      `${what}: cannot be reached: is the region right (--region, AWS_REGION), and is there a way out of the network, or a VPC endpoint for Glue? ${messageOf(error)}`,
      { cause: error },
    );
  }
  if (name === 'ThrottlingException' || name === 'OperationTimeoutException' || (status ?? 0) >= 500) {
    return new RetryableError(`${what}: the service is busy, try again; ${name}: ${error.message}`, {
      cause: error,
    });
  }
  if (name === 'EntityNotFoundException') {
    return says(`it is not there; was it removed meanwhile, or is it in another region? ${error.message}`);
  }
  return status === undefined ? error : says(`${name}: ${error.message}`);
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = Reflect.get(error, '$metadata');
  const status: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
  return typeof status === 'number' ? status : undefined;
}

function codeOf(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : '';
}
