import { isOperational, MisconfiguredError, RetryableError } from '../errors.ts';
import { NO_TOKEN_NOW } from '../kafka.ts';

/** Error codes of Kafka (by kafkajs's names) that no further attempt can mend, and what to do about them. */
const REMEDIES: Readonly<Record<string, string>> = {
  SASL_AUTHENTICATION_FAILED: 'the brokers refuse the credentials; check kafka.sasl',
  UNSUPPORTED_SASL_MECHANISM: 'the brokers do not offer this mechanism; check kafka.sasl.mechanism',
  ILLEGAL_SASL_STATE: 'the brokers expect another way to log in; check kafka.sasl and the port',
  TOPIC_AUTHORIZATION_FAILED: 'the user may not read the topic; allow it Read and Describe on the topic',
  GROUP_AUTHORIZATION_FAILED: 'the user may not use the group; allow it Read on the consumer group',
  CLUSTER_AUTHORIZATION_FAILED: 'the user may not use the cluster; allow it Describe on the cluster',
  INVALID_GROUP_ID: 'the brokers refuse the name of the group; check source.group',
  INVALID_SESSION_TIMEOUT:
    'source.session_timeout is outside of what the brokers allow (group.min.session.timeout.ms to group.max.session.timeout.ms)',
  INCONSISTENT_GROUP_PROTOCOL:
    'members of the group share partitions in another way; give this pipeline a group of its own (source.group), or wait for the others to end',
  GROUP_MAX_SIZE_REACHED: 'the group has as many members as the brokers allow (group.max.size)',
  OFFSET_METADATA_TOO_LARGE:
    'the brokers do not keep the transaction with the offset; raise offset.metadata.max.bytes',
  UNSUPPORTED_VERSION: 'the brokers are too old, or too new; Kafka 0.11 to 4.x are supported',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'the topic keeps messages in a format from before Kafka 0.11',
  INVALID_TOPIC_EXCEPTION: 'the brokers refuse the name of the topic; check source.topics',
};

/** Of TLS, by Node's error codes: a certificate that is not trusted, does not fit, or is refused. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|EPROTO/;

/** The type of a Kafka error code (`ILLEGAL_GENERATION` …) in an error or its causes; undefined for errors of other kinds. */
export function codeOf(error: unknown): string | undefined {
  const found = find(error, (each) => typeof Reflect.get(each, 'type') === 'string');
  return found ? (Reflect.get(found, 'type') as string) : undefined;
}

/** Whether a broker says that whoever asks is not, or no longer, in this generation of the group. */
export function isFenced(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ILLEGAL_GENERATION' || code === 'UNKNOWN_MEMBER_ID' || code === 'FENCED_INSTANCE_ID';
}

/** Whether another broker may be the coordinator of the group by now, or this one cannot be reached. */
export function isMoved(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === undefined || code === 'NOT_COORDINATOR_FOR_GROUP' || code === 'GROUP_COORDINATOR_NOT_AVAILABLE'
  );
}

/**
 * An error of kafkajs as one of ours: MisconfiguredError where no further attempt helps, RetryableError for everything that
 * the network or a broker may mend. Bugs (TypeError …) stay what they are.
 */
export function kafkaError(error: unknown, what: string): Error {
  if (isOperational(error)) return error;
  const operational = find(error, isOperational);
  if (operational) return operational;
  const { message } = error instanceof Error ? error : { message: String(error) };
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError)
    return error;
  if (message.includes(NO_TOKEN_NOW)) return new RetryableError(`${what}: ${message}`, { cause: error });
  const code = codeOf(error);
  const remedy = code === undefined ? undefined : REMEDIES[code];
  if (remedy !== undefined) return new MisconfiguredError(`${what}: ${message}: ${remedy}`, { cause: error });
  if (find(error, ({ name }) => name === 'KafkaJSSASLAuthenticationError'))
    return new MisconfiguredError(`${what}: ${message}: ${REMEDIES['SASL_AUTHENTICATION_FAILED']}`, {
      cause: error,
    });
  const system = find(error, (each) => typeof Reflect.get(each, 'code') === 'string');
  if (system && CERTIFICATE.test(Reflect.get(system, 'code') as string))
    return new MisconfiguredError(`${what}: ${message}: check kafka.tls (and that the port is a TLS port)`, {
      cause: error,
    });
  return new RetryableError(`${what}: ${message}`, { cause: error });
}

function find(error: unknown, wanted: (error: Error) => boolean): Error | undefined {
  let each = error;
  for (let depth = 0; each instanceof Error && depth < 8; depth++) {
    if (wanted(each)) return each;
    const { originalError, cause } = each as { originalError?: unknown; cause?: unknown };
    each = cause ?? originalError;
  }
  return undefined;
}
