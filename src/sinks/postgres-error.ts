import { OperationalError, RetryableError, StoreError, messageOf } from '../errors.ts';
import { TLS_ADVICE, errorCode, isNetworkError, isTlsError } from './connection-error.ts';

/**
 * SQLSTATEs that pass by themselves (https://www.postgresql.org/docs/current/errcodes-appendix.html): 08 connection, 40 rollback
 * (deadlock, serialization), 53 resources (disk full, too many connections), 55P03 lock, 57 intervention (time-out of a
 * statement, shutdown, start), 58 system, 25006 a standby that is not promoted yet.
 */
const PASSING = /^(08|40|53|57|58)|^55P03$|^25006$/;
/** 22 data, 23 constraint, 54 limit (a key too long for its index): what one row is refused for. 22P05: NUL in a text. */
const REFUSED = /^(22|23|54)/;
/** pg's own failures of a connection have no code. */
const CLOSED = /^Connection terminated|timeout expired|timeout exceeded|^Client was closed|not queryable/;
/** pg's refusals to log in without having been refused. */
const LOGIN = /^SASL|does not support SSL|^Unknown authenticationOk|password must be a string/;

/** SQLSTATE of an answer of the server; undefined for what is no answer. */
function sqlState(error: Error): string | undefined {
  // What Node says of connections looks alike: EPIPE.
  return Reflect.get(error, 'severity') === undefined ? undefined : errorCode(error);
}

/** Whether the server refused a row for what is in it. */
export function isRowRefused(error: unknown): error is Error {
  return error instanceof Error && REFUSED.test(sqlState(error) ?? '');
}

/**
 * What the client threw as one of ours: RetryableError for what passes by itself, StoreError for what somebody has to mend,
 * with the way out. Anything else is a bug, and returned as it is. `where` names the sink and the server, `table` the table.
 */
export function postgresError(error: unknown, where: string, table: string): unknown {
  if (!(error instanceof Error) || error instanceof OperationalError) return error;
  const state = sqlState(error);
  const code = errorCode(error);
  const text = `${where}: ${messageOf(error)}${code ? ` (${code})` : ''}`;
  if (state !== undefined) {
    if (PASSING.test(state)) return new RetryableError(text, { cause: error });
    return new StoreError(`${text}${wayOut(state, table)}`, { cause: error });
  }
  if (isTlsError(error))
    return new StoreError(`${text}; ${TLS_ADVICE}, or in sslrootcert of url`, { cause: error });
  if (isNetworkError(error) || CLOSED.test(error.message)) return new RetryableError(text, { cause: error });
  if (LOGIN.test(error.message))
    return new StoreError(`${text}; correct user, password and sslmode in url`, { cause: error });
  return error;
}

function wayOut(state: string, table: string): string {
  if (state.startsWith('28')) return '; correct user and password in url';
  if (state === '3D000') return '; create the database, or correct url';
  if (state === '42501') return `; GRANT SELECT, INSERT, UPDATE ON ${table} to the user of url`;
  if (state.startsWith('42') || state === '3F000')
    return `; make the table by \`sluice schema --postgres ${table}\``;
  return '';
}
