import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EvaluateReport } from '../../src/evaluate/report.ts';
import { scratch, sluice } from './cli.ts';

const INSULTS = [
  'You are a worthless idiot, shut the fuck up.',
  'What a stupid bitch you are',
  'fuck you, you fucking moron',
  'shut up you retarded piece of shit',
  'you dumb asshole, nobody likes you',
  'Du bist so ein dummes Arschloch, halt endlich die Fresse!',
];
const HARMLESS = [
  'Thanks for the help yesterday, see you at the station at six.',
  'The meeting moved to Tuesday afternoon.',
  'I like the new colours of the kitchen.',
  'Could you send me the address of the restaurant?',
  'The train was late again but we made it.',
  'Wir treffen uns morgen um acht vor dem Kino.',
];

function labelled(directory: string): string {
  const path = join(directory, 'labelled.jsonl');
  const lines = [
    ...INSULTS.map((text) => ({ text, is_toxic: 1 })),
    ...HARMLESS.map((text) => ({ text, is_toxic: 0 })),
  ];
  writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'));
  return path;
}

const flags = (data: string) => ['--data', data, '--label', 'toxic=is_toxic', '--resamples', '20'];

describe('sluice evaluate', () => {
  it('measures the bundled model, by language, and passes its gate', async () => {
    const data = labelled(scratch());
    const { code, stdout, stderr } = await sluice([
      'evaluate',
      ...flags(data),
      '--min',
      'auc=0.9',
      '--max',
      'toxic.brier=0.3',
      '--json',
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as EvaluateReport & { failures: unknown[] };
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.labels)).toEqual(['toxic']);
    expect(report.labels['toxic']!.all).toMatchObject({ rows: 12, positives: 6 });
    expect(report.data.languages).toMatchObject({ de: 2 });
    expect(report.actions.allow + report.actions.review + report.actions.block).toBe(12);
  });

  it('compares policies, says what flips, and exits 1 when the gate does not hold', async () => {
    const directory = scratch();
    const data = labelled(directory);
    const policies = join(directory, 'policies.yaml');
    writeFileSync(policies, 'default: { labels: { toxic: { block: 0 } }, quiet: [hate, spam] }\n');
    const config = join(directory, 'strict.yaml');
    writeFileSync(
      config,
      'source: { type: file, inputs: [none.jsonl] }\nclassify: { policies_from: policies.yaml }\n',
    );
    const { code, stdout } = await sluice([
      'evaluate',
      ...flags(data),
      '--model',
      config,
      '--against',
      'default',
      '--max-flips',
      '10%',
      '--min-rows',
      '2',
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/--max-flips 10 %: failed: expected at most 10 % of decisions to flip, got \d+/);
    expect(stdout).toMatch(/^allow → block +6 /m);
    expect(stdout).toMatch(/^toxic +all +block +0 +100\.00 % +0\.500/m);
    const same = await sluice([
      'evaluate',
      ...flags(data),
      '--policies',
      policies,
      '--against',
      config,
      '--max-flips',
      '0%',
      '--markdown',
    ]);
    expect(same.stdout).toContain('| all | 12 | 0 | 0.00 % |');
    expect(same.code).toBe(0);
  });

  it('does not pass because nobody reads its report to the end', () => {
    const data = join(scratch(), 'many.csv');
    // More than a pipe holds: figures for each language.
    const rows = Array.from({ length: 800 }, (_, i) => `word ${i},${i % 2},l${i % 400}\n`);
    writeFileSync(data, `text,toxic,lang\n${rows.join('')}`);
    const command = `"$0" bin/sluice.js evaluate --data "$1" --json --resamples 0 --min auc=1 | head -c 10`;
    const { status, stdout } = spawnSync('bash', ['-o', 'pipefail', '-c', command, process.execPath, data]);
    expect([status, stdout.toString()]).toEqual([1, '{"data":{"']);
  });

  it('exits 2 with one line when there is nothing to measure', async () => {
    const data = labelled(scratch());
    const cases = [
      [['--data', data, '--label', 'toxik=is_toxic'], /expected a label of the model \(.*\), got "toxik"/],
      [[...flags(data), '--max-flips', '2%'], /--max-flips: expected --against/],
      [[...flags(data), '--min', 'accuracy=1'], /--min: expected .* got "accuracy=1"/],
      [[...flags(data), '--model', 'no/such/model'], /no\/such\/model/],
      [[], /required option '--data/],
    ] as const;
    for (const [args, message] of cases) {
      const { code, stderr, stdout } = await sluice(['evaluate', ...args]);
      expect([args, code]).toEqual([args, 2]);
      expect(stdout).toBe('');
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/ at .*\.ts:/);
    }
  });
});
