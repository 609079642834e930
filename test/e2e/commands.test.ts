import { describe, expect, it } from 'vitest';
import { scratch, sluice } from './cli.ts';

describe('the smaller commands', () => {
  it('--help names every command', async () => {
    const { code, stdout } = await sluice(['--help']);
    expect(code).toBe(0);
    for (const command of ['run', 'demo', 'check', 'schema', 'query'])
      expect(stdout).toContain(`  ${command} `);
  });

  it('check tries the input, the model and the archive', async () => {
    const { code, stdout } = await sluice(['check', 'sluice.example.yaml']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /configuration is valid\nsource: .*\nclassify: sluice-default@\d.*\narchive: .* can be written\n/,
    );
  });

  it('schema prints JSON Schema, Markdown, and DDL with the labels of the model', async () => {
    const json = JSON.parse((await sluice(['schema', '--json'])).stdout) as { properties: object };
    expect(Object.keys(json.properties)).toEqual([
      'name',
      'kafka',
      'source',
      'feedback',
      'ingest',
      'classify',
      'archive',
      'rows',
      'dead_letters',
      'sinks',
      'sink_timeout',
      'api',
      'server',
      'stop_timeout',
      'log',
    ]);
    expect((await sluice(['schema', '--markdown'])).stdout).toContain('| `archive.memory` |');
    const ddl = (await sluice(['schema', '--athena', '--location', 's3://lake/p/'])).stdout;
    expect(ddl).toMatch(/`scores` struct<`?toxic`?: ?float,\s*`?hate`?: ?float,\s*`?spam`?: ?float>/);
    expect(ddl).toContain("'projection.customer.type' = 'injected'");
    const { code, stdout, stderr } = await sluice(['schema', '--athena', '--location', 'foo']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sluice: --location: expected s3:\/\/BUCKET\/PREFIX\/ [^\n]*, got "foo"\n$/);
  });

  it('query reads an empty archive, in each format', async () => {
    const archive = scratch();
    const ask = async (format: string) =>
      (
        await sluice([
          'query',
          'select count(*) as n, 1.5 as x from content',
          '--archive',
          archive,
          '--format',
          format,
        ])
      ).stdout;
    expect(await ask('json')).toBe('[\n{"n":0,"x":1.5}\n]\n');
    expect(await ask('csv')).toBe('n,x\r\n0,1.5\n');
    expect(await ask('table')).toBe('n    x\n-  ---\n0  1.5\n');
  });
});
