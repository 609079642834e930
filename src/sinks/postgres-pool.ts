import { Pool } from 'pg';
import type { PostgresSinkConfig } from './postgres-sink-config.ts';

/** A pool of connections, none of which is made before it is needed. A connection that fails leaves it by itself. */
export function createPostgresPool(config: PostgresSinkConfig): Pool {
  const pool = new Pool({
    connectionString: connectionString(config.url),
    max: config.connections,
    connectionTimeoutMillis: config.connect_timeout,
    statement_timeout: config.statement_timeout,
    // A server that vanished without a word answers nothing, not even a time-out: twice as long, so that its own comes first.
    query_timeout: 2 * config.statement_timeout,
    keepAlive: true,
    application_name: 'sluice',
    allowExitOnIdle: true,
  });
  // A connection that ends while nothing is asked of it is no failure of anybody's: the next question makes another one.
  const ignore = () => undefined;
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
}

/** pg checks certificates in these modes too, as `verify-full` does, and warns at each start that this may change. */
function connectionString(url: string): string {
  return url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}
