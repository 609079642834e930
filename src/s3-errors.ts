import { MisconfiguredError, OperationalError, RetryableError, StoreError, messageOf } from './errors.ts';

/** A part of a bucket, and where the configuration says how it is reached. */
export interface S3Place {
  readonly bucket: string;
  /** What all keys in question begin with: that of the store, or empty. */
  readonly prefix: string;
  /** Section of the configuration with region and endpoint; that of the archive names the bucket and the encryption too. */
  readonly setting: 'archive.store' | 'classify.s3';
}

/** What was asked of the server when it failed. */
export interface S3Request extends S3Place {
  /** Name of the operation in the S3 API: `PutObject` … */
  readonly operation: string;
  /** Whole key, where the operation has one. */
  readonly key?: string | undefined;
}

/** What the SDK's errors carry; everything may be missing. */
interface ServiceError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: unknown;
  readonly Region?: string;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly requestId?: string;
    readonly attempts?: number;
  };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

/** Codes of S3 that pass by themselves. A skewed clock is one: the SDK corrects it by the answer, for its next request. */
const PASSING = new Set(
  (
    'SlowDown InternalError ServiceUnavailable Throttling ThrottlingException RequestLimitExceeded TooManyRequests ' +
    'TooManyRequestsException BandwidthLimitExceeded RequestTimeout RequestTimeTooSkewed OperationAborted ' +
    'ConditionalRequestConflict IncompleteBody KMS.ThrottlingException KMS.KMSInternalException'
  ).split(' '),
);
const NETWORK =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST\w+|ENET\w+|EADDRNOTAVAIL|HPE_\w+|ERR_STREAM_PREMATURE_CLOSE)$/;
const TLS = /CERT|SELF_SIGNED|UNABLE_TO_|^EPROTO$|^ERR_TLS|^ERR_SSL/;
/** The permission that an operation needs, on objects (`/`) or on the bucket. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  CreateMultipartUpload: 's3:PutObject/',
  UploadPart: 's3:PutObject/',
  CompleteMultipartUpload: 's3:PutObject/',
  PutObject: 's3:PutObject/',
  AbortMultipartUpload: 's3:AbortMultipartUpload/',
  ListParts: 's3:ListMultipartUploadParts/',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  ListObjectsV2: 's3:ListBucket',
  DeleteObject: 's3:DeleteObject/',
  GetObject: 's3:GetObject/',
  HeadObject: 's3:GetObject/',
};

/**
 * What the SDK threw as one of ours, with its name as that of the cause: RetryableError for what passes by itself, StoreError for what
 * somebody has to mend, with the way out. What is neither an answer nor a failure of the connection is a bug, and returned
 * as it is.
 */
export function s3Error(error: unknown, request: S3Request): unknown {
  if (!(error instanceof Error) || error instanceof OperationalError) return error;
  const { name, code, $metadata, $response } = error as ServiceError;
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  const symbol = typeof code === 'string' ? code : '';
  const where = `s3://${request.bucket}/${request.key ?? request.prefix}: ${request.operation}`;
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return stop(`${where}: no credentials: ${firstLine(error)}; ${CREDENTIALS}`, error);
  if (error.message.startsWith('Region is missing'))
    return stop(`${where}: expected a region; set ${request.setting}.region or AWS_REGION`, error);
  if (TLS.test(symbol) && status === undefined)
    return stop(
      `${where}: no TLS connection: ${firstLine(error)} (${symbol}); check ${request.setting}.endpoint, and name a private authority's certificate in NODE_EXTRA_CA_CERTS`,
      error,
    );
  if (NETWORK.test(symbol) || name === 'TimeoutError') {
    const what = status === undefined ? 'no answer' : `the answer (status ${status}) broke off`;
    return retry(`${where}: ${what}: ${firstLine(error)}${symbol ? ` (${symbol})` : ''}`, error);
  }
  if (status === undefined) return error;
  const answer = `${where} failed: ${answerOf(error, status)}`;
  if (status === 501) return stop(`${answer}; the server lacks an operation that Sluice needs`, error);
  // An answer of 200 that cannot be read was cut, or is no answer of an S3 server.
  if (PASSING.has(name ?? '') || status >= 500 || status === 429 || status === 408 || status < 300)
    return retry(answer, error);
  const way = wayOut(error, status, request);
  return stop(way ? `${answer}; ${way}` : answer, error);
}

/** Whether an error is {@link s3Error}'s for an answer with one of these codes. */
export function isAnswer(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof OperationalError && error.cause instanceof Error && codes.includes(error.cause.name)
  );
}

/** The failure of a check as what refuses to start. Bugs stay what they are. */
export function asMisconfigured(error: unknown, setting: S3Place['setting']): unknown {
  if (!(error instanceof OperationalError) || error instanceof MisconfiguredError) return error;
  return new MisconfiguredError(`${setting}: ${error.message}`, { cause: error });
}

const CREDENTIALS =
  'give them by a role of the machine, by AWS_PROFILE, or by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

function retry(message: string, error: Error): RetryableError {
  return new RetryableError(message, { cause: causeOf(error) });
}

function stop(message: string, error: Error): StoreError {
  return new StoreError(message, { cause: causeOf(error) });
}

/** Name and text only: the SDK's errors drag the connection along, with signed headers and session tokens. */
function causeOf(error: Error): Error {
  const cause = new Error(firstLine(error));
  cause.name = error.name;
  return cause;
}

function firstLine(error: Error): string {
  return messageOf(error).split('\n')[0]!.trim() || error.name;
}

/** `AccessDenied (403, request 4A6F): Access Denied`; answers to HEAD have neither a code nor a text. */
function answerOf(error: Error, status: number): string {
  const { $metadata, $response } = error as ServiceError;
  const id = $metadata?.requestId ?? $response?.headers?.['x-amz-request-id'];
  const text = firstLine(error);
  const plain = ['UnknownError', 'Error', ''].includes(error.name) ? `status ${status}` : error.name;
  const said = text === '' || text === error.name || text === 'UnknownError' ? '' : `: ${text}`;
  return `${plain} (${status}, ${id ? `request ${id}` : 'no request id'})${said}`;
}

function wayOut(error: Error, status: number, request: S3Request): string {
  const { name = '', Region, $response } = error as ServiceError;
  const { setting } = request;
  const own = setting === 'archive.store';
  const region = Region ?? $response?.headers?.['x-amz-bucket-region'];
  // A service that is asked on our behalf names the permission itself.
  const named = /\b(?:kms|sts):\w+/.exec(error.message)?.[0];
  if (name.startsWith('KMS.'))
    return `check ${own ? `${setting}.encryption.kms_key` : 'the key that encrypts the object'}: that the key exists, is enabled, and is of the region of the bucket`;
  if (named?.startsWith('kms:'))
    return own
      ? `allow ${named} (uploads need kms:GenerateDataKey and kms:Decrypt) on the key of ${setting}.encryption`
      : `allow ${named} on the key that encrypts the object`;
  if (named) return `allow ${named} to the role that these credentials belong to`;
  switch (name) {
    case 'NoSuchBucket':
      return own
        ? 'create the bucket, or correct archive.store.bucket (and .endpoint)'
        : `create the bucket, or correct the s3:// address (and ${setting}.endpoint)`;
    case 'InvalidAccessKeyId':
    case 'XAdminUserNotFound': // As versitygw calls it.
    case 'SignatureDoesNotMatch':
      return `these credentials are not known to the server: ${CREDENTIALS}`;
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
    case 'InvalidToken':
      return 'the credentials have ended: give credentials that renew themselves (a role), or start again with fresh ones';
    case 'InvalidBucketName':
      return own ? 'correct archive.store.bucket' : 'correct the s3:// address';
    case 'InvalidStorageClass':
      return 'correct archive.store.storage_class';
    default:
  }
  if (region !== undefined && (status === 301 || name === 'AuthorizationHeaderMalformed' || status === 400))
    return `set ${setting}.region to ${region}`;
  if (
    status === 301 ||
    name === 'AuthorizationHeaderMalformed' ||
    name === 'IllegalLocationConstraintException'
  )
    return `set ${setting}.region to the region of the bucket`;
  return status === 401 || status === 403 ? allow(request) : '';
}

function allow({ operation, bucket, prefix }: S3Request): string {
  const permission = PERMISSIONS[operation] ?? `s3:${operation}`;
  const arn = bucket.startsWith('arn:') ? bucket : `arn:aws:s3:::${bucket}`;
  const within = bucket.startsWith('arn:') ? `${arn}/object/${prefix}*` : `${arn}/${prefix}*`;
  const on = permission.endsWith('/') ? `${permission.slice(0, -1)} on ${within}` : `${permission} on ${arn}`;
  // Without it, S3 answers 403 for an object that is not there.
  const list = operation === 'HeadObject' || operation === 'GetObject' ? `, and s3:ListBucket on ${arn}` : '';
  return `allow ${on}${list} for these credentials`;
}
