import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { scratch, sluice, writeConfig } from './cli.ts';

const endpoint = process.env['SLUICE_GLUE']!;
const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };

describe('sluice glue apply', () => {
  it('takes place, partitions and labels from the configuration, as schema --athena does', async () => {
    const file = writeConfig(scratch(), {
      source: { type: 'file', inputs: ['-'] },
      archive: { store: { type: 's3', bucket: 'lake', prefix: 'moderation/' }, partition_by: ['day'] },
    });
    const database = `d_${randomUUID().replaceAll('-', '')}`;
    const args = ['glue', 'apply', '--config', file, '--database', database, '--endpoint', endpoint];
    const first = await sluice([...args, '--dry-run'], { env });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(`table ${database}.content would be created over s3://lake/moderation/: `);
    expect((await sluice(args, { env })).stdout).toContain(' created over ');
    expect((await sluice(args, { env })).stdout).toBe(`table ${database}.content unchanged\n`);

    const ddl = (await sluice(['schema', '--athena', '--config', file])).stdout;
    expect(ddl).toContain("LOCATION 's3://lake/moderation/'");
    expect(ddl).toContain('PARTITIONED BY (`dt` date)');
    expect(ddl).toMatch(/`scores` struct<`toxic`:float/);
  });

  it('makes a table of feedback as well, where a topic of it is configured', async () => {
    const file = writeConfig(scratch(), {
      source: { type: 'file', inputs: ['-'] },
      feedback: { topic: 'feedback' },
      archive: { store: { type: 's3', bucket: 'lake', prefix: 'moderation/' } },
    });
    const database = `d_${randomUUID().replaceAll('-', '')}`;
    const args = ['glue', 'apply', '--config', file, '--database', database, '--endpoint', endpoint];
    const first = await sluice(args, { env });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain(`table ${database}.content created over s3://lake/moderation/: `);
    expect(first.stdout).toContain(
      `table ${database}.feedback created over s3://lake/moderation/_feedback/: `,
    );
    const again = `table ${database}.content unchanged\ntable ${database}.feedback unchanged\n`;
    expect((await sluice(args, { env })).stdout).toBe(again);

    const named = ['schema', '--athena', '--config', file, '--feedback-table', 'flags'];
    const { stdout } = await sluice(named);
    expect([...stdout.matchAll(/^CREATE EXTERNAL TABLE `(.*)`/gm)].map(([, name]) => name)).toEqual([
      'content',
      'flags',
    ]);
    const same = await sluice([...named.slice(0, -1), 'content']);
    expect([same.code, same.stderr]).toEqual([
      1,
      'sluice: --feedback-table: expected another name than that of the table of content, got content\n',
    ]);
    const bad = await sluice([...named.slice(0, -1), 'a b']);
    expect(bad.stderr).toMatch(/^sluice: --feedback-table: expected lower-case letters/);
  });

  it('says in one line what is missing, and exits 1', async () => {
    const { code, stdout, stderr } = await sluice(['glue', 'apply', '--endpoint', endpoint], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sluice: expected --location s3:\/\/BUCKET\/PREFIX\/, or --config [^\n]*\n$/);
    for (const [flag, wanted] of [
      ['--endpoint', 'a URL such as'],
      ['--location', 's3://BUCKET/PREFIX/ '],
    ] as const) {
      const bad = await sluice(['glue', 'apply', '--location', 's3://lake/', flag, 'nonsense'], { env });
      expect({ code: bad.code, stdout: bad.stdout }).toEqual({ code: 1, stdout: '' });
      expect(bad.stderr).toMatch(
        new RegExp(`^sluice: ${flag}: expected ${wanted}[^\\n]*, got "nonsense"\\n$`),
      );
    }
    const nowhere = ['glue', 'apply', '--location', 's3://lake/', '--endpoint', endpoint];
    const { AWS_REGION: _region, ...rest } = env;
    const without = {
      ...rest,
      AWS_REGION: '',
      AWS_DEFAULT_REGION: '',
      AWS_CONFIG_FILE: '/nowhere',
      AWS_PROFILE: '',
    };
    expect((await sluice(nowhere, { env: without })).stderr).toMatch(
      /^sluice: Glue: expected a region, got none; name it with --region[^\n]*\n$/,
    );
  });
});
