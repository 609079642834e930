import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addressOf, createKafkaFixture, kafkaOf } from '../ingest/kafka-fixture.ts';
import { rows, scratch, sluice, writeConfig } from './cli.ts';

const BAD = 'you are a stupid worthless idiot, go kill yourself you piece of shit';
const GOOD = 'thanks, the new park is lovely in spring';

/** 100 contents, each written three times: bad, good, and at last bad if its number is even. */
const versions = [0, 1, 2].flatMap((version) =>
  Array.from({ length: 100 }, (_, n) => {
    const text = version === 0 || (version === 2 && n % 2 === 0) ? BAD : GOOD;
    return JSON.stringify({ id: `m${n}`, customer: `c${n % 3}`, text: `${text} ${n}` });
  }),
);

describe('scores', () => {
  it('are those of the newest version of each content, and a replay changes no row', async () => {
    const kafka = await createKafkaFixture({ partitions: 1 });
    onTestFinished(() => kafka.remove());
    await kafka.produce(0, versions);
    const database = new Client(addressOf('SLUICE_POSTGRES'));
    await database.connect();
    onTestFinished(() => database.end());
    const table = `scores_${randomUUID().slice(0, 8)}`;
    const directory = scratch();
    const config = writeConfig(directory, {
      name: 'scored',
      kafka: { brokers: kafkaOf().brokers },
      source: { type: 'kafka', topics: [kafka.topic], group: kafka.group },
      sinks: {
        scores: { type: 'postgres', url: addressOf('SLUICE_POSTGRES'), table },
        cache: { type: 'redis', url: addressOf('SLUICE_REDIS'), prefix: table, ttl: '1h' },
      },
    });

    const refused = await sluice(['check', config]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('sluice schema --postgres')]);
    const ddl = await sluice(['schema', '--postgres', table]);
    await database.query(ddl.stdout);

    const { code, stderr } = await sluice(['run', config, '--until-end']);
    expect(code, stderr).toBe(0);
    const stored = async () =>
      (await database.query(`SELECT xmin::text, ctid::text, * FROM ${table} ORDER BY content_id`)).rows as {
        content_id: string;
        action: string;
      }[];
    const first = await stored();
    expect(first).toHaveLength(100);
    const newest = await rows(
      directory,
      `SELECT content_id, action FROM content QUALIFY row_number() OVER (PARTITION BY content_id ORDER BY "offset" DESC) = 1
       ORDER BY content_id`,
    );
    expect(first.map(({ content_id, action }) => ({ content_id, action }))).toEqual(newest);
    expect(new Set(newest.map(({ action }) => action)).size).toBeGreaterThan(1);

    const replayed = await sluice(['replay', config, '--from-offsets', `${kafka.topic}:0=0`, '--deliver']);
    expect(replayed.code, replayed.stderr).toBe(0);
    expect(replayed.stdout).toContain('300 rows archived');
    expect(await stored()).toEqual(first);
  });
});
