import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decisionTable } from '../../src/decision-table.ts';
import { decisionJsonSchema, decisionSchema, versionOf } from '../../src/decision.ts';
import { sluice } from '../e2e/cli.ts';

const read = (name: string) => readFileSync(resolve(import.meta.dirname, '../../docs', name), 'utf8');
const page = read('decisions-topic.md');

describe('what is published about decisions', () => {
  it('is the schema that the code has (node scripts/readme.ts)', async () => {
    const schema: unknown = JSON.parse(read('decision.schema.json'));
    expect(schema).toEqual(decisionJsonSchema());
    const { code, stdout } = await sluice(['schema', '--decision']);
    expect([code, JSON.parse(stdout)]).toEqual([0, schema]);
    // Fields that come later must not make records invalid for those who hold them against this one.
    expect(JSON.stringify(schema)).not.toContain('"additionalProperties":false');
  });

  it('is the table that is generated', () => {
    expect(page.split('<!-- decision -->\n')[1]?.split('\n<!-- /decision -->')[0]).toBe(decisionTable());
    expect(decisionTable()).toContain('| `reasons` | list of object: label, score, threshold | no | ');
    expect(decisionTable()).toContain('| `user_id` | string | yes | ');
    expect(decisionTable()).toContain('| `text` | string, may be absent | no | ');
  });

  it('shows an example that is a decision', () => {
    const [, json] = /^```json\n([^]*?)^```$/m.exec(page) ?? [];
    const example = decisionSchema.strict().parse(JSON.parse(json!));
    const { topic, partition, offset } = example.position;
    expect(example.id).toBe(`${topic}-${partition}-${offset}`);
    const [producedAt, receivedAt] = [Date.parse(example.produced_at!), Date.parse(example.received_at)];
    expect(example.version).toBe(versionOf({ producedAt, receivedAt, partition, offset }));
    expect(Object.keys(example)).toEqual(Object.keys(decisionSchema.shape).filter((name) => name !== 'text'));
  });
});
