import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { configFrom, parseConfig } from '../src/config.ts';

type Path = readonly (string | number)[];
type Node = string | number | boolean | Node[] | { [key: string]: Node };

/** A configuration with something in every section, in which every secret comes from the environment. */
const SAMPLE: Node = {
  name: 'moderation',
  kafka: {
    brokers: ['b:9092'],
    client: 'kafkajs',
    tls: { ca: 'ca.pem' },
    sasl: { mechanism: 'plain', username: 'u', password: '${SECRET}' },
    request_timeout: '30s',
  },
  source: {
    type: 'kafka',
    pattern: '^content',
    start: 'earliest',
    max_bytes: '16MiB',
    session_timeout: '45s',
  },
  feedback: { topic: 'feedback' },
  ingest: { preset: 'koko', fields: { id: '$key', text: ['a.b'], metadata: 'm' }, max_future: '1d' },
  classify: {
    model: 'drop',
    workers: 1,
    policies: { acme: { version: '1', labels: { toxic: { block: 0.9 } }, quiet: ['spam'] } },
  },
  archive: {
    store: {
      type: 's3',
      bucket: 'lake',
      prefix: 'p/',
      endpoint: 'http://h:1',
      path_style: true,
      encryption: { type: 'kms', kms_key: 'k' },
    },
    partition_by: ['customer'],
    rotate: { age: '5m' },
  },
  dead_letters: { files: true, topic: 'dead' },
  sinks: {
    topic: { type: 'kafka', topic: 'decisions', actions: ['block'], labels: ['toxic'] },
    told: {
      type: 'webhooks',
      redis: 'redis://u:${SECRET}@h:1',
      retry: ['5s'],
      breaker: { failures: 3 },
      allow_private: ['10.0.0.0/8'],
      endpoints: {
        acme: {
          url: 'https://a.example/in',
          secrets: ['${SIGNING}'],
          headers: { authorization: 'Basic ${SECRET}' },
          customers: ['acme'],
          rate: { max: 5 },
        },
      },
    },
    cache: { type: 'redis', url: 'redis://u:${SECRET}@h:1', ttl: '7d' },
    rows: { type: 'postgres', url: 'postgres://u:${SECRET}@h:1/d', table: 't' },
    items: { type: 'dynamodb', table: 'scores', region: 'r', endpoint: 'http://h:2' },
    search: { type: 'elasticsearch', url: 'http://h:3', username: 'u', password: '${SECRET}', index: 'i' },
  },
  sink_timeout: '30s',
  api: { listen: 'h:1', keys: { acme: ['${SIGNING}'] }, max_body: '1MiB', max_in_flight: 7 },
  server: { listen: 'off' },
  log: { level: 'info' },
};
const SIGNING = `whsec_${'c2lnbmluZyBzZWNyZXQg'.repeat(2)}`;
const PLACES = placesOf(SAMPLE);

function placesOf(node: Node, path: Path = []): Path[] {
  if (typeof node !== 'object') return [path];
  const children = Object.entries(node).map(([key, child]): Path[] =>
    placesOf(child, [...path, Array.isArray(node) ? Number(key) : key]),
  );
  return [path, ...children.flat()];
}

function replaceAt(node: Node, [step, ...rest]: Path, change: (old: Node) => Node): Node {
  if (step === undefined || typeof node !== 'object') return change(node);
  if (Array.isArray(node))
    return node.map((child, index) => (index === step ? replaceAt(child, rest, change) : child));
  return { ...node, [step]: replaceAt(node[step]!, rest, change) };
}

/** Ways to get a place wrong, most of them by writing a secret there. */
const MISTAKES: Readonly<Record<string, (old: Node) => Node>> = {
  'a secret': () => '${SECRET}',
  'a secret in a text': () => 'Basic ${SECRET}, once more ${SECRET}',
  'a list of it': () => ['${SECRET}'],
  'a map of it': () => ({ secret: '${SECRET}', type: '${SECRET}' }),
  'a key of it': () => ({ '${SECRET}': '${SECRET}' }),
  'a URL with it': () => 'postgres://u:${SECRET}@h',
  'a host of it': () => 'https://${SECRET}/',
  'its value in a pattern': () => '(${SECRET}',
  'a list that is not closed': (old) => [old],
  'names forgotten': (old) => (typeof old === 'object' ? Object.values(old) : [old]),
  'a name too much': (old) => ({ typo: old }),
  'an unknown key beside': (old) =>
    typeof old === 'object' && !Array.isArray(old) ? { ...old, '${SECRET}': '${SIGNING}' } : [old],
  'a number': () => 7,
};

function errorOf(sample: Node, env: NodeJS.ProcessEnv): string {
  try {
    parseConfig(stringify(sample), 'p.yaml', env);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function expectHidden(error: string, value: string): void {
  const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())];
  for (const form of forms) expect(error.toLowerCase()).not.toContain(form.toLowerCase());
}

/** Of 6 or more characters. One that is all stars could not be told from what hides it. */
const secret = fc
  .oneof(
    fc.string({ minLength: 6, unit: 'binary' }),
    fc.string({ minLength: 6 }),
    fc.stringMatching(/^[a-z0-9_-]{6,30}$/),
    fc.constantFrom(
      'pa/ss+w#rd',
      'postgres://u:hunter2@x',
      'redis://:h@nter"2 x@y',
      'hunter2\nhunter3',
      '20000ms',
    ),
  )
  .filter((text) => !/^[*\s]*$/.test(text));

describe('errors of the configuration', () => {
  it('the sample is valid', () => {
    expect(errorOf(SAMPLE, { SECRET: 'hunter2', SIGNING })).toBe('');
    expect(PLACES.length).toBeGreaterThan(100);
  });

  it.each(Object.entries(MISTAKES))('show no secret in any place, by this mistake: %s', (_name, change) => {
    const SECRET = 'Hunter2/"x y';
    let wrong = 0;
    for (const path of PLACES) {
      const error = errorOf(replaceAt(SAMPLE, path, change), { SECRET, SIGNING });
      if (error !== '') wrong++;
      expectHidden(error, SECRET);
      expectHidden(error, SIGNING);
      expect(error.toLowerCase(), path.join('.')).not.toContain('hunter2');
    }
    expect(wrong).toBeGreaterThan(PLACES.length / 2);
  });

  it('show no value of the environment, whatever it is', () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom(...PLACES),
        fc.constantFrom(...Object.values(MISTAKES)),
        (SECRET, path, change) => {
          const error = errorOf(replaceAt(SAMPLE, path, change), { SECRET, SIGNING });
          expectHidden(error, SECRET);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('show no secret of a key that is a list, nor warn of it', () => {
    const warnings = vi.spyOn(process, 'emitWarning');
    try {
      expect(() => parseConfig("? [ '${SECRET}' ]\n: 1\n", 'p.yaml', { SECRET: 'hunter2' })).toThrow(
        /^p\.yaml:1:1 source: .*\np\.yaml:1:1 \[ '?\*\*\*'? \]: unknown key/,
      );
      expect(warnings).not.toHaveBeenCalled();
    } finally {
      warnings.mockRestore();
    }
  });

  it('show no user and password of a URL in the file itself, and no text in the place of a list', () => {
    const file = 'source: { type: file, inputs: [a] }\n';
    const errors = ['redis', 'postgres', 'elasticsearch'].map((type) => {
      try {
        parseConfig(`${file}sinks: { s: { type: ${type}, url: 'mysql://u:hunter2@h' } }`, 'p.yaml', {});
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    });
    for (const error of errors)
      expect(error).toMatch(/sinks\.s\.url: expected a URL .*, got "mysql:\/\/\*\*\*@h"$/);
  });

  it('are told of a value that comes from no file too', () => {
    const source = { type: 'file', inputs: ['a'] } as const;
    expect(() => configFrom({ source, archive: { stor: 1 }, name: 5 } as never)).toThrow(
      /^name: expected a text, got a number\narchive\.stor: unknown key; did you mean "store"\?$/,
    );
    const store = { type: 's3', bucket: 'lake', path_styl: 1 };
    expect(() => configFrom({ source, archive: { store } } as never)).toThrow(
      /^archive\.store\.path_styl: unknown key; did you mean "path_style"\?$/,
    );
  });
});
