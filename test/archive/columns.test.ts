import { describe, expect, it } from 'vitest';
import { parquetMetadata } from 'hyparquet';
import { athenaDdl, archiveConfig, columnTable, TABLES } from '../../src/archive/index.ts';
import { scoredFile } from './rows.ts';

describe('the columns', () => {
  it('are those of a file, in order, with their nullability', async () => {
    const { content } = await scoredFile();
    const { schema } = parquetMetadata(content.buffer);
    const found: [string, boolean][] = [];
    let at = 1;
    const skip = () => {
      const children = schema[at++]!.num_children ?? 0;
      for (let i = 0; i < children; i++) skip();
    };
    while (at < schema.length) {
      const { name, repetition_type } = schema[at]!;
      found.push([name, repetition_type === 'OPTIONAL']);
      skip();
    }
    expect(found).toEqual(TABLES.content.columns.map(({ name, nullable }) => [name, nullable]));
  });

  it('are a Markdown table', () => {
    const lines = columnTable(TABLES.content).split('\n');
    expect(lines).toHaveLength(TABLES.content.columns.length + 2);
    for (const line of lines) expect(line.split(/(?<!\\)\|/)).toHaveLength(6);
  });
});

describe('the DDL for Athena', () => {
  it('has each column once: in the path or in the file', () => {
    const ddl = athenaDdl({ location: 's3://bucket/archive', labels: ['hate', 'a`b'] });
    const lines = ddl.split('\n');
    for (const { name } of TABLES.content.columns) {
      const found = lines.filter((line) => line.startsWith(`  \`${name}\` `)).length;
      expect([name, found]).toEqual([name, name === 'customer' ? 0 : 1]);
    }
    expect(ddl).toContain('PARTITIONED BY (`customer` string, `dt` date)');
    expect(ddl).toContain(
      "'storage.location.template' = 's3://bucket/archive/customer=${customer}/dt=${dt}/'",
    );
    expect(ddl).toContain("'projection.customer.type' = 'injected'");
    expect(ddl).toContain('struct<`hate`:float>');
    expect(ddl).toContain('-- Not in scores, because Athena cannot name them: ["a`b"]');
  });

  it('leaves scores out without labels, and follows partition_by', () => {
    const ddl = athenaDdl({ location: 's3://lake/', partitionBy: ['day', 'hour'] });
    expect(ddl).not.toContain('`scores`');
    expect(ddl).toContain('  `customer` string');
    expect(ddl).toContain("'s3://lake/dt=${dt}/hour=${hour}/'");
    expect(athenaDdl({ location: 's3://lake/', partitionBy: [] })).not.toContain('projection');
  });

  it('without a location has one to fill in; refuses a name or a place that Athena cannot use', () => {
    expect(athenaDdl({})).toContain("LOCATION 's3://BUCKET/PREFIX/'");
    for (const [bad, message] of [
      [{ location: 'foo' }, '--location: expected s3://BUCKET/PREFIX/'],
      [{ table: 'a b' }, '--table: expected'],
      [{ since: 'May' }, '--since: expected'],
    ] as const)
      expect(() => athenaDdl(bad)).toThrow(new RegExp(`^${message}.*got "`));
  });
});

describe('archiveConfig', () => {
  it('has defaults for everything', () => {
    expect(archiveConfig.parse({})).toMatchObject({
      store: { type: 'directory', path: './out' },
      partition_by: ['customer', 'day'],
      rotate: { bytes: 128 * 2 ** 20, age: 300_000 },
      memory: 256 * 2 ** 20,
    });
  });

  it.each([[['hour']], [['day', 'day']], [['week']]])('refuses partition_by %j', (keys) => {
    expect(archiveConfig.safeParse({ partition_by: keys }).success).toBe(false);
  });
});
