import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { makeBucket, s3Endpoint } from '../services/s3-bucket.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const tiny = resolve(import.meta.dirname, '../classify/fixtures/tiny');
const message = (id: string, text: string, more: object = {}) =>
  `${JSON.stringify({ id, customer: 'acme', text, lang: 'en', ...more })}\n`;
/** The tiny model knows English, and gives an idiot 0.95 toxic. */
const MESSAGES = [
  message('plain', 'hello world'),
  message('toxic', 'you are an idiot'),
  message('toxic-german', 'you are an idiot', { lang: 'de-AT' }),
  message('strict', 'you are an idiot', { customer: 'strict' }),
  message('german', 'guten Tag', { lang: 'de', customer: 'strict' }),
  message('scam', 'WIN  a\u200b prize'),
  message('scam-elsewhere', 'win a prize', { customer: 'strict' }),
  message('scam-german', 'win a prize', { lang: 'de' }),
];
const POLICIES = {
  default: { name: 'house', version: 1, labels: { toxic: { review: 0.9 } } },
  strict: { unsupported_language: 'block', labels: { toxic: { block: 0.5 } } },
};

async function archive(directory: string) {
  writeFileSync(join(directory, 'in.jsonl'), MESSAGES.join(''));
  writeFileSync(join(directory, 'policies.yaml'), stringify(POLICIES));
  writeFileSync(join(directory, 'texts.txt'), 'Win a prize\n\nanother one\n');
  const hashes = await sluice(['hash', 'texts.txt'], { cwd: directory });
  expect(hashes).toMatchObject({ code: 0, stderr: '' });
  writeFileSync(join(directory, 'scams.txt'), `# made by sluice hash\n${hashes.stdout}`);
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['in.jsonl'] },
    classify: {
      model: tiny,
      workers: 1,
      policies_from: 'policies.yaml',
      hash_lists: { scam: { file: 'scams.txt', action: 'block', customers: ['acme'] } },
    },
  });
  expect(await sluice(['run', config, '--until-end'])).toMatchObject({ code: 0 });
  return config;
}

describe('policies, end to end', () => {
  it('decides by a policy file, hash lists and languages, and tests another policy on what is archived', async () => {
    const directory = scratch();
    const config = await archive(directory);
    const decided = await rows(
      directory,
      `select content_id, action, reasons, policy, scores is null as bare, model from content order by content_id`,
    );
    const short = decided.map(({ content_id: id, action, reasons }) => [id, action, reasons]);
    expect(short).toEqual([
      ['german', 'block', ['unsupported_language']],
      ['plain', 'allow', null],
      ['scam', 'block', ['scam']],
      ['scam-elsewhere', 'allow', null],
      ['scam-german', 'block', ['scam']],
      ['strict', 'block', ['toxic']],
      ['toxic', 'review', ['toxic']],
      ['toxic-german', 'allow', ['unsupported_language']],
    ]);
    const policies = Object.fromEntries(decided.map(({ content_id: id, policy }) => [id, policy]));
    expect(policies['plain']).toBe('house@1');
    expect(policies['strict']).toMatch(/^strict@[0-9a-f]{8}$/);
    expect(decided.filter(({ model }) => model === null).map(({ content_id: id }) => id)).toEqual([
      'german',
      'scam',
      'scam-german',
      'toxic-german',
    ]);

    const test = async (...args: string[]) => {
      const { code, stdout, stderr } = await sluice(['policy', 'test', ...args], { cwd: directory });
      expect(stderr).toBe('');
      return { code, stdout };
    };
    // The policies that decided change nothing, whatever else the archive has.
    const same = await test(config, '--policies', 'policies.yaml', '--json', '--max-changes', '0%');
    expect(same.code).toBe(0);
    expect(JSON.parse(same.stdout)).toMatchObject({ rows: 8, changed: 0, other_reasons: 0 });

    writeFileSync(
      join(directory, 'new.yaml'),
      stringify({ default: { labels: { toxic: { block: 0.9 } }, unsupported_language: 'review' } }),
    );
    const changed = await test(
      'out',
      '--policies',
      'new.yaml',
      '--model',
      tiny,
      '--max-changes',
      '12%',
      '--show-text',
    );
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain(
      '8 rows: 3 would change (37.50 %), 2 to a stricter action, 1 to a milder one',
    );
    expect(changed.stdout).toMatch(/^review→block +1 +12\.50 %$/m);
    expect(changed.stdout).toMatch(/^block→review +german +strict +de +unsupported_language +guten Tag$/m);
    expect(changed.stdout).toContain('too many changes: expected at most 12.00 %, got 37.50 %');

    const flags = ['--policies', 'new.yaml', '--against', 'policies.yaml', '--model', tiny];
    const against = await test('out', ...flags, '--customer', 'strict', '--json');
    expect(JSON.parse(against.stdout)).toMatchObject({ against: 'policies.yaml', rows: 3, changed: 1 });

    const unknown = await test('out', '--policies', 'new.yaml', '--examples', '0');
    expect(unknown.stdout).toMatch(
      /4 rows were scored by tiny@1\.2\.0, whose own thresholds are not at hand/,
    );
    const empty = await sluice(['policy', 'test', 'out', '--policies', 'new.yaml', '--customer', 'nobody'], {
      cwd: directory,
    });
    expect(empty.code).toBe(1);
    expect(empty.stderr).toMatch(
      /^sluice: out: expected the folder of an archive with files of the slice, got /,
    );
  });

  it('tests a policy from S3 on an archive in S3', async () => {
    const directory = scratch();
    await archive(directory);
    const bucket = await makeBucket();
    onTestFinished(() => bucket.close());
    const out = join(directory, 'out');
    for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.parquet')) await bucket.put(`archive/${name}`, readFileSync(join(out, name)));
    await bucket.put('rules.yaml', stringify({ default: { unsupported_language: 'block' } }));
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['in.jsonl'] },
      classify: { model: tiny },
      archive: {
        store: {
          type: 's3',
          bucket: bucket.name,
          prefix: 'archive/',
          endpoint: s3Endpoint(),
          path_style: true,
        },
      },
    });
    const tested = await sluice([
      'policy',
      'test',
      config,
      '--policies',
      `s3://${bucket.name}/rules.yaml`,
      '--json',
    ]);
    expect(tested.stderr).toBe('');
    expect(JSON.parse(tested.stdout)).toMatchObject({
      rows: 8,
      changed: 2,
      labels: { unsupported_language: { rows: 2, changed: 1, stricter: 1 }, toxic: { rows: 2, changed: 1 } },
    });
  });

  it('reads policies and hash lists from S3', async () => {
    const directory = scratch();
    const bucket = await makeBucket();
    onTestFinished(() => bucket.close());
    writeFileSync(join(directory, 'in.jsonl'), MESSAGES.join(''));
    const { stdout } = await sluice(['hash', join(directory, 'in.jsonl'), '--format', 'jsonl']);
    await bucket.put('lists/all.txt', stdout);
    await bucket.put('rules.yaml', stringify({ default: { name: 's3', version: 1 } }));
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['in.jsonl'] },
      classify: {
        model: tiny,
        workers: 1,
        cache: './cache',
        policies_from: `s3://${bucket.name}/rules.yaml`,
        hash_lists: {
          all: { file: `s3://${bucket.name}/lists/all.txt`, action: 'review', customers: ['acme'] },
        },
        s3: { endpoint: s3Endpoint(), path_style: true },
      },
    });
    const run = await sluice(['run', config, '--until-end']);
    expect(run.code, run.stderr).toBe(0);
    expect(
      await rows(
        directory,
        'select customer, action, reasons, policy, count(*)::INT as n from content group by all order by n desc, action, reasons nulls first',
      ),
    ).toEqual([
      { customer: 'acme', action: 'review', reasons: ['all'], policy: 's3@1', n: 5 },
      { customer: 'strict', action: 'allow', reasons: null, policy: 's3@1', n: 1 },
      { customer: 'strict', action: 'allow', reasons: ['unsupported_language'], policy: 's3@1', n: 1 },
      { customer: 'strict', action: 'block', reasons: ['toxic'], policy: 's3@1', n: 1 },
    ]);
  });

  it('takes over new policies and hash lists while messages flow, and goes on with the old ones when they are wrong', async () => {
    const directory = scratch();
    const input = join(directory, 'in.jsonl');
    const policies = join(directory, 'policies.yaml');
    writeFileSync(input, '');
    writeFileSync(policies, stringify({ default: { version: 1 } }));
    writeFileSync(join(directory, 'known.txt'), '# nothing yet\n');
    const config = writeConfig(directory, {
      source: { type: 'file', inputs: ['in.jsonl'] },
      classify: {
        model: tiny,
        workers: 1,
        policies_from: 'policies.yaml',
        hash_lists: { known: { file: 'known.txt', action: 'block' } },
        reload: '100ms',
      },
      archive: { store: { type: 'directory', path: './out' }, rotate: { age: '200ms' } },
    });
    const run = start(['run', config]);
    let log = '';
    run.process.stderr!.on('data', (chunk: string) => (log += chunk));
    const logged = (what: RegExp, times = 1) =>
      vi.waitFor(() => expect(log.match(new RegExp(what, 'g')) ?? []).toHaveLength(times), WAIT);
    const decided = (id: string) =>
      vi.waitFor(async () => {
        const found = await rows(
          directory,
          `select action, reasons, policy from content where content_id = '${id}'`,
        );
        expect(found).toHaveLength(1);
        return found[0];
      }, WAIT);

    appendFileSync(input, message('first', 'you are an idiot'));
    expect(await decided('first')).toEqual({ action: 'block', reasons: ['toxic'], policy: 'default@1' });
    writeFileSync(policies, stringify({ default: { labels: { txic: { block: 0.5 } } } }));
    await logged(/"event.action":"reload-refused"/);
    expect(log).toContain(
      'policies.yaml: default: expected a label of the model (toxic, hate, spam), got \\"txic\\"',
    );
    appendFileSync(input, message('second', 'you are an idiot'));
    expect(await decided('second')).toEqual({ action: 'block', reasons: ['toxic'], policy: 'default@1' });

    writeFileSync(policies, stringify({ default: { version: 2, quiet: ['toxic'] } }));
    await logged(/"event.action":"reloaded"/);
    appendFileSync(input, message('third', 'you are an idiot'));
    expect(await decided('third')).toEqual({ action: 'allow', reasons: null, policy: 'default@2' });

    const { stdout } = await sluice(['hash', input, '--format', 'jsonl'], { cwd: directory });
    writeFileSync(join(directory, 'known.txt'), stdout);
    await logged(/"event.action":"reloaded"/, 2);
    appendFileSync(input, message('fourth', 'You are an IDIOT'));
    expect(await decided('fourth')).toEqual({ action: 'block', reasons: ['known'], policy: 'default@2' });
    run.process.kill('SIGTERM');
    expect((await run.finished).code).toBe(0);
  });

  it('refuses policies and hash lists that cannot work, with their place', async () => {
    const directory = scratch();
    const config = await archive(directory);
    writeFileSync(join(directory, 'policies.yaml'), 'default:\n  labels: { toxic: { block: 7 } }\n');
    const check = () => sluice(['check', config]);
    expect((await check()).stderr).toMatch(
      /policies\.yaml:2:29 default\.labels\.toxic\.block: expected at most 1, got 7/,
    );
    writeFileSync(join(directory, 'policies.yaml'), '{}');
    writeFileSync(join(directory, 'scams.txt'), 'you win a prize\n');
    expect((await check()).stderr).toMatch(
      /scams\.txt:1: expected 64 hex digits, the SHA-256 of a normalised text, got 3 characters; `sluice hash` makes them/,
    );
  });
});

describe('sluice hash', () => {
  it('hashes lines and JSON lines alike, and names the line of what is no text', async () => {
    const directory = scratch();
    writeFileSync(join(directory, 'a.txt'), 'Buy NOW\n\u200b\n');
    writeFileSync(join(directory, 'b.jsonl'), '{"body":"buy\\tnow"}\n\n{"body":1}\n');
    const lines = await sluice(['hash', 'a.txt'], { cwd: directory });
    const json = await sluice(['hash', '--format', 'jsonl', '--field', 'body', 'b.jsonl'], {
      cwd: directory,
    });
    expect(lines.stdout).toBe('a7219a05dccdd3e89b58bd0e6f88973b5d341d3ce9bd61df4dc88873fa3ded3c\n');
    expect(json.code).toBe(1);
    expect(json.stderr).toBe(
      'sluice: b.jsonl:3: expected a text in "body", got number; --field names another member\n',
    );
  });
});
