import { randomUUID } from 'node:crypto';
import { Client, type QueryResultRow } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MisconfiguredError, RetryableError, StoreError } from '../../src/errors.ts';
import { postgresSinkConfig } from '../../src/sinks/postgres-sink-config.ts';
import { createPostgresSink } from '../../src/sinks/postgres-sink.ts';
import { postgresDdl, quotedTable } from '../../src/sinks/postgres-table.ts';
import type { Score } from '../../src/sinks/score.ts';
import { scoresContract, type StoredScore } from '../contract/scores.ts';
import { sinkContract } from '../contract/sink.ts';
import { sampleDecision } from '../sample-decision.ts';
import { ownService, type OwnService } from '../services/own-service.ts';

let server: OwnService;

beforeAll(async () => {
  server = await ownService('postgres');
});
afterAll(() => server.close());

/** One statement on a connection of its own: the server may have been killed since the last one. */
async function sql<Result extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Result[]> {
  const client = new Client(server.address);
  await client.connect();
  try {
    return (await client.query<Result>(text, values)).rows;
  } finally {
    await client.end();
  }
}

const sinkOf = (changes: object = {}) =>
  createPostgresSink({
    config: postgresSinkConfig.parse({ type: 'postgres', url: server.address, ...changes }),
    at: 'sinks.scores',
  });
async function freshTable(): Promise<string> {
  const table = `scores_${randomUUID().slice(0, 8)}`;
  await sql(postgresDdl(table));
  return table;
}
const signal = () => AbortSignal.timeout(30_000);
const failureOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error: unknown) => error,
  );

type Row = Omit<Score, 'created_at' | 'decided_at'> & { created_at: Date | null; decided_at: Date };

/** Rows with the number of the transaction that wrote them, and where they lie. */
async function rowsOf(table: string, customer?: string): Promise<StoredScore[]> {
  const found = await sql<Row & { xmin: string; ctid: string }>(
    `SELECT xmin, ctid, * FROM ${quotedTable(table)} WHERE $1::text IS NULL OR customer = $1`,
    [customer ?? null],
  );
  return found.map(({ xmin, ctid, created_at, decided_at, ...rest }) => ({
    score: {
      ...rest,
      created_at: created_at && created_at.toISOString(),
      decided_at: decided_at.toISOString(),
    },
    mark: `${xmin} ${ctid}`,
  }));
}

sinkContract('postgres', async () => {
  const table = await freshTable();
  const sink = sinkOf({ table });
  return {
    sink,
    again: () => Promise.resolve(sinkOf({ table })),
    unreachable: () => Promise.resolve(sinkOf({ table, url: 'postgres://u:p@127.0.0.1:1/db' })),
    received: async () => (await rowsOf(table)).map(({ score }) => score.decision_id),
    close: () => sink.close(),
  };
});

scoresContract('postgres', async () => {
  const table = await freshTable();
  const sink = sinkOf({ table });
  return {
    sink,
    again: () => Promise.resolve(sinkOf({ table })),
    rows: (customer) => rowsOf(table, customer),
    kill: () => server.kill(),
    start: () => server.start(),
    close: () => sink.close(),
  };
});

describe('postgres sink', () => {
  it('takes a table of a schema whose names need quotes', async () => {
    await sql('CREATE SCHEMA "Mod; DROP TABLE x"');
    const table = `Mod; DROP TABLE x.select $1 -- ${randomUUID()}`;
    await sql(postgresDdl(table));
    const sink = sinkOf({ table });
    await sink.check();
    await sink.deliver([sampleDecision(1)], signal());
    expect(await rowsOf(table)).toHaveLength(1);
    await sink.close();
  });

  it('prints DDL that may run again, and that its own check likes', async () => {
    const table = await freshTable();
    await sql(postgresDdl(table));
    const sink = sinkOf({ table });
    await sink.check();
    await sink.close();
  });

  it('refuses what PostgreSQL cannot store, and writes the rest of the batch', async () => {
    const table = await freshTable();
    const sink = sinkOf({ table });
    // Random, or the server would compress it below its limit for keys.
    const long = Array.from({ length: 200 }, () => randomUUID()).join('');
    const batch = [
      sampleDecision(0),
      sampleDecision(1, { content_id: 'a\0b' }),
      sampleDecision(2, { content_id: long }),
      sampleDecision(3, { content_id: long }),
      sampleDecision(4, { language: '\0' }),
      ...Array.from({ length: 40 }, (_, index) => sampleDecision(10 + index)),
    ];
    const refusals = [...(await sink.deliver(batch, signal()))].toSorted((a, b) => a.index - b.index);
    expect(refusals.map(({ index, code }) => [index, code])).toEqual([
      [1, 'rejected'],
      [2, 'rejected'],
      [3, 'rejected'],
      [4, 'rejected'],
    ]);
    expect(refusals[0]!.detail).toContain('NUL');
    expect(refusals[1]!.detail).toMatch(/index row .*(size|bytes)/);
    expect(await rowsOf(table)).toHaveLength(41);
    await sink.close();
  });

  it('compares versions byte by byte, also in a table of another collation', async () => {
    const table = await freshTable();
    await sql(`ALTER TABLE ${table} ALTER COLUMN version TYPE text COLLATE "en-x-icu"`);
    const sink = sinkOf({ table });
    const version = (text: string, offset: number) =>
      sampleDecision(offset, { content_id: 'post', version: text });
    // ICU sorts the lower case first.
    await sink.deliver([version('B', 1)], signal());
    await sink.deliver([version('a', 2)], signal());
    await sink.deliver([version('C', 3)], signal());
    await sink.deliver([version('b', 4)], signal());
    await sink.deliver([version('D', 5)], signal());
    expect((await rowsOf(table)).map(({ score }) => score.decision_id)).toEqual(['content-0-4']);
    await sink.close();
  });

  it('gives up waiting for a row that somebody has locked, and goes on once it is free', async () => {
    const table = await freshTable();
    // Longer than the test may take: it is the signal that ends the wait.
    const sink = sinkOf({ table, statement_timeout: '1h' });
    await sink.deliver([sampleDecision(1)], signal());
    const newer = [sampleDecision(2, { content_id: 'post-1' })];
    const locker = new Client(server.address);
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query(`SELECT * FROM ${table} FOR UPDATE`);
    await expect(sink.deliver(newer, AbortSignal.timeout(300))).rejects.toThrow(RetryableError);
    const patient = sinkOf({ table, statement_timeout: '300ms' });
    await expect(patient.deliver(newer, signal())).rejects.toThrow(/statement timeout/);
    await expect(patient.deliver(newer, signal())).rejects.toThrow(RetryableError);
    await locker.query('ROLLBACK');
    await locker.end();
    expect(await sink.deliver(newer, signal())).toEqual([]);
    expect((await rowsOf(table)).map(({ score }) => score.decision_id)).toEqual(['content-0-2']);
    await Promise.all([sink.close(), patient.close()]);
  });

  it('leaves no backend waiting behind attempts that were given up', async () => {
    const table = await freshTable();
    const sink = sinkOf({ table, statement_timeout: '1h', connections: 1 });
    await sink.deliver([sampleDecision(1)], signal());
    const locker = new Client(server.address);
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query(`SELECT * FROM ${table} FOR UPDATE`);
    const waiting = async () => {
      const query = 'SELECT pid FROM pg_stat_activity WHERE wait_event_type = $1 AND query LIKE $2';
      return (await sql(query, ['Lock', `%"${table}"%`])).length;
    };
    const newer = [sampleDecision(2, { content_id: 'post-1' })];
    for (let attempt = 0; attempt < 4; attempt++) {
      const over = new AbortController();
      const delivery = failureOf(sink.deliver(newer, over.signal));
      await vi.waitFor(async () => expect(await waiting()).toBe(1), 10_000);
      over.abort();
      expect(await delivery).toBeInstanceOf(RetryableError);
      await vi.waitFor(async () => expect(await waiting()).toBe(0), 10_000);
    }
    await locker.query('ROLLBACK');
    await locker.end();
    expect(await sink.deliver(newer, signal())).toEqual([]);
    await sink.close();
  });

  it('ends an attempt in time also where the server does not answer to its cancelling', async () => {
    const table = await freshTable();
    const sink = sinkOf({ table, connect_timeout: '200ms' });
    await sink.deliver([sampleDecision(1)], signal());
    const locker = new Client(server.address);
    await locker.connect();
    await locker.query('BEGIN');
    await locker.query(`SELECT * FROM ${table} FOR UPDATE`);
    // Who takes connections stands still; the locking backend does not.
    await server.signal('SIGSTOP');
    const newer = [sampleDecision(2, { content_id: 'post-1' })];
    try {
      await expect(sink.deliver(newer, AbortSignal.timeout(100))).rejects.toThrow(RetryableError);
    } finally {
      await server.signal('SIGCONT');
    }
    await locker.query('ROLLBACK');
    await locker.end();
    expect(await sink.deliver(newer, signal())).toEqual([]);
    await sink.close();
  });

  it('says what is wrong with user, database and table, and the way out', async () => {
    const suffix = randomUUID().slice(0, 8);
    const table = await freshTable();
    const [narrow, loose] = [`narrow_${suffix}`, `loose_${suffix}`];
    await sql(`CREATE TABLE ${narrow} (customer text, content_id bigint, tenant text NOT NULL)`);
    await sql(`CREATE TABLE ${loose} (LIKE ${table})`);
    await sql(`CREATE ROLE reader_${suffix} LOGIN PASSWORD 'secret'`);
    await sql(`GRANT SELECT ON ${table} TO reader_${suffix}`);
    const url = new URL(server.address);
    url.username = `reader_${suffix}`;
    url.password = 'secret';
    const wrong: [object, RegExp][] = [
      [{ table: 'nowhere' }, /expected a table nowhere .*sluice schema --postgres nowhere/],
      [
        { table: narrow },
        /content_id text, got bigint; .*version text, got none; .*other column .*tenant; .*unique index/,
      ],
      [{ table: loose }, /expected a primary key or unique index on \(customer, content_id\), got none/],
      [
        { table, url: url.href },
        /the right to insert, got none \(GRANT INSERT ON …\); expected the right to update/,
      ],
      [{ table, url: url.href.replace('secret', 'wrong') }, /28P01.*correct user and password/],
      [{ table, url: `${server.address}x` }, /3D000.*create the database/],
      [{ table, url: `${server.address}?sslmode=require` }, /does not support SSL.*sslmode/],
    ];
    for (const [changes, text] of wrong) {
      const sink = sinkOf(changes);
      const error = await failureOf(sink.check());
      expect(error).toBeInstanceOf(MisconfiguredError);
      expect(String(error)).toMatch(text);
      expect(String(error)).not.toContain('secret');
      const failure = await failureOf(sink.deliver([sampleDecision(1)], signal()));
      expect(failure).toBeInstanceOf(StoreError);
      await sink.close();
    }
  });

  it('asks again for a standby that is not promoted yet', async () => {
    const table = await freshTable();
    const url = `${server.address}?options=-c%20default_transaction_read_only%3Don`;
    const sink = sinkOf({ table, url });
    await expect(sink.deliver([sampleDecision(1)], signal())).rejects.toThrow(RetryableError);
    await sink.close();
  });
});
