import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testPolicy } from '../../src/policy-test.ts';
import { archiveRows, writeParquet } from '../ingest/parquet-file.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-policy-test-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('testPolicy', () => {
  it('knows labels that only later files have', async () => {
    const scored = "{'toxic': 0.9::FLOAT, 'spam': 0.7::FLOAT}";
    for (const [day, scores] of [
      "{'toxic': 0.9::FLOAT}",
      "{'toxic': 0.9::FLOAT, 'violence': 0.99::FLOAT}",
    ].entries()) {
      const folder = join(directory, 'out', 'customer=a', `dt=2026-01-0${day + 1}`);
      mkdirSync(folder, { recursive: true });
      const rows = archiveRows(10).replace(scored, scores).replace("['toxic', 'spam']", "['toxic']");
      await writeParquet(join(folder, `${day}-1.parquet`), rows);
    }
    const policies = join(directory, 'new.yaml');
    writeFileSync(policies, 'default: { quiet: [toxic, hate], labels: { violence: { block: 0.9 } } }\n');
    const { text } = await testPolicy(join(directory, 'out'), {
      policies,
      against: 'archived',
      sample: 1,
      examples: 0,
      json: true,
    });
    expect(JSON.parse(text)).toMatchObject({ rows: 20, kinds: { 'review→allow': 10, 'review→block': 10 } });
  });
});
