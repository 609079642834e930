import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configTables } from '../src/config-table.ts';
import { configFrom, jsonSchema, loadConfig, parseConfig, type JsonSchema } from '../src/config.ts';
import { columnTable, TABLES } from '../src/archive/index.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MINIMAL = 'source: { type: file, inputs: [a.jsonl] }\n';
const problems = (yaml: string, env: NodeJS.ProcessEnv = {}) => {
  try {
    parseConfig(yaml, 'p.yaml', env);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
};

describe('configuration', () => {
  it('fills in defaults and parses units', () => {
    const config = parseConfig(
      `${MINIMAL}archive: { memory: 1GiB, rotate: { age: 90s } }\n`,
      '/etc/sluice/p.yaml',
      {},
    );
    expect(config.archive.memory).toBe(1024 ** 3);
    expect(config.archive.rotate.age).toBe(90_000);
    expect(config.archive.rotate.bytes).toBe(128 * 1024 ** 2);
    expect(config.source).toMatchObject({ inputs: ['/etc/sluice/a.jsonl'] });
    expect(config.archive.store).toMatchObject({ path: '/etc/sluice/out' });
    expect(config.classify.model).toBe(resolve(ROOT, 'models/default'));
  });

  it('names file, line, column, path, expectation and value', () => {
    expect(problems('source: { type: file, inputs: [] }\n')).toEqual([
      'p.yaml:1:31 source.inputs: expected at least 1, got []',
    ]);
    expect(problems(`${MINIMAL}archive:\n  memory: lots\n`)).toEqual([
      'p.yaml:3:11 archive.memory: expected a size such as 128MiB (units: B, kB, MB, GB, KiB, MiB, GiB), got "lots"',
    ]);
    expect(problems(`${MINIMAL}log: { level: verbos }\n`)[0]).toMatch(
      /^p\.yaml:2:15 log\.level: expected "debug" or .*, got "verbos"/,
    );
    expect(problems('name: x\n')[0]).toMatch(/^p\.yaml:1:\d+ source: expected .*got nothing/);
    expect(problems(`${MINIMAL}archive: 7\n`)).toEqual(['p.yaml:2:10 archive: expected a map, got a number']);
  });

  it('reports every problem at once', () => {
    expect(problems(`${MINIMAL}archive: { memory: 1 }\nclassify: { batch_tokens: 0 }\n`)).toHaveLength(2);
  });

  it('suggests the key that was meant, at every level', () => {
    expect(problems(`${MINIMAL}archiv: {}\n`)).toEqual([
      'p.yaml:2:1 archiv: unknown key; did you mean "archive"?',
    ]);
    expect(problems(`${MINIMAL}archive:\n  rotate: { agee: 5m }\n`)).toEqual([
      'p.yaml:3:13 archive.rotate.agee: unknown key; did you mean "age"?',
    ]);
    expect(problems('source: { type: file, input: [a] }\n').join('\n')).toContain('did you mean "inputs"?');
    expect(problems(`${MINIMAL}archive: { store: { type: directory, pth: x } }\n`).join('\n')).toContain(
      'did you mean "path"?',
    );
    expect(problems(`${MINIMAL}classify: { policies: { acme: { labls: {} } } }\n`).join('\n')).toContain(
      'did you mean "labels"?',
    );
    const kafka = 'source: { type: kafka, topic: [a] }\n';
    expect(problems(kafka)[0]).toContain('source.topic: unknown key; did you mean "topics"?');
    const s3 = `${MINIMAL}archive: { store: { type: s3, bucket: lake, buket: c, path: d } }\n`;
    expect(problems(s3)[0]).toContain('did you mean "bucket"?');
    expect(problems(s3)[1]).toMatch(/path: unknown key.*path_style/);
    expect(problems(`${MINIMAL}zzz: 1\n`)[0]).toContain('known here: name, kafka, source');
  });

  it('says what a choice, a quantity and a text with a star must be', () => {
    expect(problems('source: { type: fil, inputs: [a] }\n')).toEqual([
      'p.yaml:1:17 source.type: expected "file" or "kafka", got "fil"',
    ]);
    expect(problems(`${MINIMAL}classify: { workers: many }\n`)).toEqual([
      'p.yaml:2:22 classify.workers: expected "auto" or a number, got "many"',
    ]);
    expect(problems(`${MINIMAL}ingest: { max_future: 3 }\n`)[0]).toContain('expected a duration such as 5m');
    expect(problems('source: { type: file, inputs: [*.jsonl] }\n')[0]).toMatch(
      /^p\.yaml: not valid YAML: .*needs quotes/,
    );
    expect(problems('source: &a [*a]\n')[0]).toMatch(/^p\.yaml: not valid YAML/);
  });

  it('refuses broken YAML and equal keys', () => {
    expect(problems('source: [\n')[0]).toMatch(/^p\.yaml:\d+:\d+ not valid YAML: /);
    expect(problems(`${MINIMAL}name: a\nname: b\n`)[0]).toMatch(/^p\.yaml:3:1 not valid YAML: /);
    expect(problems('- a\n')[0]).toMatch(/expected a map, got a list/);
  });

  it('takes values from the environment, and says which is missing', () => {
    const config = parseConfig('name: ${NAME}\nsource: { type: file, inputs: ["${DIR}/a"] }\n', '/p.yaml', {
      NAME: 'n',
      DIR: '/d',
    });
    expect(config).toMatchObject({ name: 'n', source: { inputs: ['/d/a'] } });
    expect(problems('name: ${NAME}\n' + MINIMAL)).toEqual([
      'p.yaml:1:7 environment variable NAME is not set',
    ]);
  });

  it('says what kind of value came where a map, a list or a text belongs, once for each', () => {
    const endpoint = "{ url: 'https://a.example', secrets: lost, headers: lost, labels: toxic }";
    const webhooks = `{ type: webhooks, redis: 'redis://h', endpoints: { a: ${endpoint} } }`;
    expect(
      problems(`${MINIMAL}sinks: { told: ${webhooks} }\n`).map((line) => line.split(' ').slice(1)),
    ).toEqual(
      [
        'sinks.told.endpoints.a.secrets: expected a list, got a text',
        'sinks.told.endpoints.a.labels: expected a list, got a text',
        'sinks.told.endpoints.a.headers: expected a map, got a text',
      ].map((line) => line.split(' ')),
    );
    expect(problems(`${MINIMAL}name: [1]\narchive:\nclassify: { max_tokens: 8.5 }\n`)).toEqual([
      'p.yaml:2:7 name: expected a text, got a list',
      'p.yaml:4:25 classify.max_tokens: expected a whole number, got 8.5',
      'p.yaml:3:9 archive: expected a map, got nothing',
    ]);
    expect(problems(`${MINIMAL}dead_letters: { files: maybe }\nkafka: { brokers: [b:1], tls: 3 }\n`)).toEqual(
      [
        'p.yaml:3:31 kafka.tls: expected true or false or a map, got 3',
        'p.yaml:2:24 dead_letters.files: expected true or false, got "maybe"',
      ],
    );
    expect(problems(`${MINIMAL}server: { listen: here }\napi: { listen: 80, keys: {} }\n`)).toEqual([
      'p.yaml:3:16 api.listen: expected a text, got a number',
      'p.yaml:3:26 api.keys: expected at least one customer',
      'p.yaml:2:19 server.listen: expected host:port or off, got "here"',
    ]);
    expect(problems(`${MINIMAL}api: { listen: here, keys: { a: [0123456789abcdef] } }\n`)).toEqual([
      'p.yaml:2:16 api.listen: expected host:port, got "here"',
    ]);
  });

  it('a missing file is one line', () => {
    expect(() => loadConfig('/nowhere/p.yaml')).toThrow(
      /^\/nowhere\/p\.yaml: cannot read the configuration: /,
    );
  });

  it('reaches S3 for models as for the archive, unless it is told otherwise', () => {
    const store = {
      type: 's3',
      bucket: 'lake',
      endpoint: 'http://localhost:7070',
      path_style: true,
    } as const;
    const source = { type: 'file' as const, inputs: ['a.jsonl'] };
    expect(configFrom({ source, archive: { store } }).classify.s3).toMatchObject({
      endpoint: 'http://localhost:7070',
      path_style: true,
    });
    const own = configFrom({ source, archive: { store }, classify: { s3: { region: 'eu-west-1' } } });
    expect(own.classify.s3).toMatchObject({ region: 'eu-west-1', path_style: false });
    expect(own.classify.s3?.endpoint).toBeUndefined();
    expect(configFrom({ source }).classify.s3).toMatchObject({ connections: 32 });
  });

  it('describes every key', () => {
    const bare: string[] = [];
    const visit = (path: string, schema: JsonSchema) => {
      if (path && !schema.description) bare.push(path);
      for (const [key, child] of Object.entries(schema.properties ?? {})) visit(`${path}.${key}`, child);
      for (const branch of schema.oneOf ?? []) visit('', branch);
    };
    visit('', jsonSchema());
    expect(bare).toEqual([]);
  });

  it('the examples in the repository are valid', () => {
    expect(loadConfig(resolve(ROOT, 'sluice.example.yaml')).name).toBe('example');
    const text = readFileSync(resolve(ROOT, 'sluice.kafka.example.yaml'), 'utf8');
    const uncommented = text.replaceAll(
      /^( *)# (dead_letters|feedback|sinks|tls|sasl|encryption):/gm,
      '$1$2:',
    );
    const env = { SLUICE_KAFKA: 'localhost:9092', SLUICE_S3: 'http://localhost:7070', KAFKA_PASSWORD: 'x' };
    for (const each of [text, uncommented])
      expect(parseConfig(each, resolve(ROOT, 'k.yaml'), env).source.type).toBe('kafka');
  });

  it('the tables of the documentation are the generated ones', () => {
    const section = (name: string, file = 'README.md') =>
      readFileSync(resolve(ROOT, file), 'utf8')
        .split(`<!-- ${name} -->\n`)[1]
        ?.split(`\n<!-- /${name} -->`)[0];
    expect(section('configuration', 'docs/configuration.md')).toBe(configTables());
    expect(section('columns')).toBe(columnTable(TABLES.content));
    expect(section('feedback-columns')).toBe(columnTable(TABLES.feedback));
  });
});
