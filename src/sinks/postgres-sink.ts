import type { PoolClient } from 'pg';
import { MisconfiguredError } from '../errors.ts';
import { checkError, throwIfLate } from './connection-error.ts';
import { cancelStatement } from './postgres-cancel.ts';
import { isRowRefused, postgresError } from './postgres-error.ts';
import { createPostgresPool } from './postgres-pool.ts';
import type { PostgresSinkConfig } from './postgres-sink-config.ts';
import {
  CATALOG_QUERY,
  postgresUpsert,
  quotedTable,
  tableProblems,
  type CatalogTable,
} from './postgres-table.ts';
import { chunksOf, newestScores, type NewestScore } from './score.ts';
import type { Refusal, Sink } from './sink.ts';

/** Rows of one statement, which is one transaction: how long it holds its locks. */
const CHUNK = 500;

/**
 * The newest score of each content as a row, upserted in one statement for up to 500 of them. The statement compares versions,
 * so neither order, repeats nor other processes matter; it locks rows in the order of their keys, so writers of the same
 * contents wait for each other and never in a circle.
 */
export function createPostgresSink({
  config,
  at,
}: {
  readonly config: PostgresSinkConfig;
  readonly at: string;
}): Sink {
  const { host, pathname } = new URL(config.url);
  const where = `${at}: postgres://${host}${pathname}`;
  const upsert = { name: 'sluice-scores', text: postgresUpsert(config.table) };
  const pool = createPostgresPool(config);
  let closed: Promise<void> | undefined;

  /** One connection of the pool; a failure of it is made one of ours, and takes it out of the pool. */
  async function using<Result>(
    work: (client: PoolClient) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    let client: PoolClient | undefined;
    const release = (isBroken: boolean) => {
      client?.release(isBroken);
      client = undefined;
    };
    // A backend that waits does not see that its connection ends; a server that says nothing only lets go of one that is cut.
    const cut = async () => {
      if (client) await cancelStatement(client, config.connect_timeout);
      release(true);
    };
    const onAbort = () => void cut();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      client = await pool.connect();
      const result = await work(client);
      // Whoever had it next, the cancelling could come late, and to them.
      release(signal?.aborted ?? false);
      return result;
    } catch (error) {
      release(true);
      throw postgresError(error, where, config.table);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Writes a chunk; where the server refuses a row of it, halves it until that row stands alone. */
  async function write(
    client: PoolClient,
    chunk: readonly NewestScore[],
    signal: AbortSignal,
  ): Promise<Refusal[]> {
    throwIfLate(signal, where);
    try {
      await client.query({ ...upsert, values: [JSON.stringify(chunk.map(({ score }) => score))] });
      return [];
    } catch (error) {
      if (!isRowRefused(error)) throw error;
      if (chunk.length === 1) return refusals(chunk[0]!, error.message);
      const half = Math.ceil(chunk.length / 2);
      const [first, second] = [chunk.slice(0, half), chunk.slice(half)];
      return [...(await write(client, first, signal)), ...(await write(client, second, signal))];
    }
  }

  return {
    description: `postgres://${host}${pathname}, table ${config.table}`,

    async check() {
      try {
        const { rows } = await using((client) =>
          client.query<CatalogTable>(CATALOG_QUERY, [quotedTable(config.table)]),
        );
        const found = rows[0];
        const way = `make it by \`sluice schema --postgres ${config.table}\``;
        if (!found) {
          throw new MisconfiguredError(
            `${at}.table: expected a table ${config.table} in ${host}${pathname}, got none; ${way}`,
          );
        }
        const problems = tableProblems(found);
        if (problems.length === 0) return;
        throw new MisconfiguredError(
          `${at}.table: ${config.table} in ${host}${pathname}: expected ${problems.join('; expected ')}; ${way}`,
        );
      } catch (error) {
        throw checkError(error);
      }
    },

    async deliver(decisions, signal) {
      const scores = newestScores(decisions);
      const [broken, sound] = [scores.filter(hasNul), scores.filter((each) => !hasNul(each))];
      const refused = broken.flatMap((each) =>
        refusals(each, 'expected texts without the character NUL, which PostgreSQL cannot store'),
      );
      if (sound.length === 0) return refused;
      return await using(async (client) => {
        for (const chunk of chunksOf(sound, CHUNK)) refused.push(...(await write(client, chunk, signal)));
        return refused;
      }, signal);
    },

    close: () => (closed ??= pool.end()),
  };
}

function refusals({ indexes }: NewestScore, detail: string): Refusal[] {
  return indexes.map((index) => ({ index, code: 'rejected', detail }));
}

/** Only these come from messages; the others are Sluice's own, or scores. */
function hasNul({ score }: NewestScore): boolean {
  return [score.customer, score.content_id, score.language].some((text) => text?.includes('\0'));
}
