import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPolicies } from '../src/classify/index.ts';
import { parseConfig } from '../src/config.ts';
import { MisconfiguredError } from '../src/errors.ts';
import { createObjectFiles, type ObjectFiles } from '../src/object-files.ts';
import { loadPolicies, parsePolicies, policyJsonSchema } from '../src/policy-file.ts';
import { s3ConnectionConfig } from '../src/s3-connection-config.ts';
import { makeBucket, s3Endpoint, type TestBucket } from './services/s3-bucket.ts';

const TEXT = `
default:
  name: house rules
  version: 3
  labels: { toxic: { review: 0.6, block: 0.9 } }
  unsupported_language: review
acme:
  quiet: [spam]
  languages:
    de: { labels: { hate: { block: 0.5 } } }
`;

describe('parsePolicies', () => {
  it('reads policies by customer', () => {
    expect(parsePolicies({ location: 'p.yaml', text: TEXT })).toEqual({
      default: {
        name: 'house rules',
        version: '3',
        labels: { toxic: { review: 0.6, block: 0.9 } },
        quiet: [],
        languages: {},
        unsupported_language: 'review',
      },
      acme: {
        labels: {},
        quiet: ['spam'],
        languages: { de: { labels: { hate: { block: 0.5 } }, quiet: [] } },
      },
    });
    expect(parsePolicies({ location: 'p.yaml', text: '{}' })).toEqual({});
  });

  it('takes customer ids as they are written, not as YAML numbers', () => {
    const ids = ['12345678901234567890', '007', '1.0', '0x10', 'null', 'true', '7'];
    const text = ids.map((id) => `${id}: { quiet: [spam] }\n`).join('');
    expect(Object.keys(parsePolicies({ location: 'p.yaml', text })).toSorted()).toEqual(ids.toSorted());
    expect(() => parsePolicies({ location: 'p.yaml', text: '7: {}\n"7": {}\n' })).toThrow(
      'p.yaml:2:1 not valid YAML: Map keys must be unique',
    );
  });

  it.each(['', '\n \n'])('refuses an empty file, which may be half written: %j', (text) => {
    expect(() => parsePolicies({ location: 'p.yaml', text })).toThrow(
      'p.yaml: expected policies, got an empty file; {} stands for none',
    );
  });

  it.each([
    ['default:\n  lables: {}\n', 'p.yaml:2:3 default.lables: unknown key; did you mean "labels"?'],
    [
      'acme:\n  labels:\n    toxic: { review: 2 }\n',
      'p.yaml:3:22 acme.labels.toxic.review: expected at most 1, got 2',
    ],
    [
      'acme:\n  unsupported_language: alow\n',
      'p.yaml:2:25 acme.unsupported_language: expected "allow" or "review" or "block", got "alow"; did you mean "allow"?',
    ],
    [
      'acme: { languages: { de: {}, DE: {} } }\n',
      'p.yaml:1:34 acme.languages.DE: expected each language once, got de and DE',
    ],
    [
      'acme: { languages: { "not a tag": {} } }\n',
      'p.yaml:1:35 acme.languages.not a tag: expected a BCP 47 tag such as `de` or `ta-Latn`, got "not a tag"',
    ],
    ['- acme\n', 'p.yaml:1:1 (top level): expected a map, got a list'],
    ['acme: [\n', /^p\.yaml:\d+:\d+ not valid YAML: /],
  ])('refuses %j', (text, message) => {
    const parse = () => parsePolicies({ location: 'p.yaml', text });
    expect(parse).toThrow(MisconfiguredError);
    expect(parse).toThrow(message);
  });

  it('leaves ${NAME} alone: a policy file has no secrets', () => {
    expect(parsePolicies({ location: 'p', text: 'acme: { name: "${HOME}" }' })['acme']?.name).toBe('${HOME}');
  });
});

describe('loadPolicies', () => {
  const directory = mkdtempSync(join(tmpdir(), 'policy-file-'));
  let bucket: TestBucket;
  let files: ObjectFiles;
  beforeAll(async () => {
    bucket = await makeBucket();
    files = createObjectFiles(
      s3ConnectionConfig.parse({ endpoint: s3Endpoint(), path_style: true, region: 'us-east-1' }),
    );
  });
  afterAll(async () => {
    files.close();
    await bucket.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('reads a file, and has a fingerprint that follows its content', async () => {
    const file = join(directory, 'p.yaml');
    writeFileSync(file, TEXT);
    const first = await loadPolicies(file, files);
    expect(Object.keys(first.policies)).toEqual(['default', 'acme']);
    expect((await loadPolicies(file, files)).fingerprint).toBe(first.fingerprint);
    writeFileSync(file, TEXT.replace('0.9', '0.8'));
    expect((await loadPolicies(file, files)).fingerprint).not.toBe(first.fingerprint);
    await expect(loadPolicies(join(directory, 'none'), files)).rejects.toThrow(
      /none: expected a policy file, got ENOENT/,
    );
  });

  it('reads an object', async () => {
    await bucket.put('rules/p.yaml', TEXT);
    const { policies } = await loadPolicies(`s3://${bucket.name}/rules/p.yaml`, files);
    expect(policies['default']?.version).toBe('3');
    await bucket.put('rules/p.yaml', 'default: 3\n');
    await expect(loadPolicies(`s3://${bucket.name}/rules/p.yaml`, files)).rejects.toThrow(
      `s3://${bucket.name}/rules/p.yaml:1:10 default: expected a map, got a number`,
    );
    await expect(loadPolicies(`s3://${bucket.name}/rules/none.yaml`, files)).rejects.toThrow(
      MisconfiguredError,
    );
  });
});

describe('docs/policies.md', () => {
  const page = readFileSync(new URL('../docs/policies.md', import.meta.url), 'utf8');
  const [policies, configuration] = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, block]) => block!);

  it('shows policies that can be read', () => {
    const parsed = parsePolicies({ location: 'docs/policies.md', text: policies! });
    expect(Object.keys(parsed)).toEqual(['default', 'kids-forum', 'acme']);
    const options = { labels: ['toxic', 'spam'], models: [{ thresholds: {}, languageThresholds: {} }] };
    expect(createPolicies({ ...options, policies: parsed }).id).toBe('house-rules@7');
  });

  it('shows hash lists that can be read', () => {
    const { classify } = parseConfig(
      `source: { type: file, inputs: [in.jsonl] }\n${configuration}`,
      'docs/policies.md',
    );
    expect(Object.keys(classify.hash_lists)).toEqual(['scam-campaign', 'forum-copypasta']);
  });
});

describe('policyJsonSchema', () => {
  it('describes a map of policies', () => {
    const { additionalProperties } = policyJsonSchema();
    expect(Object.keys(additionalProperties?.properties ?? {})).toEqual([
      'name',
      'version',
      'labels',
      'quiet',
      'languages',
      'unsupported_language',
    ]);
  });
});
