import { describe, expect, it } from 'vitest';
import { MisconfiguredError } from '../../src/errors.ts';
import { receiverSchema } from '../../src/sinks/index.ts';

describe('receiverSchema', () => {
  it('prints nothing unless it is asked', () => {
    expect(receiverSchema({})).toBeUndefined();
  });

  it('prints DDL with names in quotes', () => {
    expect(receiverSchema({ postgres: true })).toContain('CREATE TABLE IF NOT EXISTS "sluice_scores" (');
    const ddl = receiverSchema({ postgres: 'mod.scores' });
    expect(ddl).toContain('CREATE TABLE IF NOT EXISTS "mod"."scores" (');
    expect(ddl).toContain('version text COLLATE "C" NOT NULL');
    expect(ddl).toContain('PRIMARY KEY (customer, content_id)');
  });

  it('prints an index template for all dates of a name', () => {
    const template = (flag: string | true) =>
      JSON.parse(receiverSchema({ elasticsearch: flag })!) as { index_patterns: string[] };
    expect(template(true).index_patterns).toEqual(['sluice-decisions-*']);
    expect(template('mod-{year}-{month}').index_patterns).toEqual(['mod-*-*']);
  });

  it('refuses names that nothing can have', () => {
    expect(() => receiverSchema({ postgres: 'a.b.c' })).toThrow(MisconfiguredError);
    expect(() => receiverSchema({ elasticsearch: 'Upper' })).toThrow(
      '--elasticsearch: expected a name of lower-case letters',
    );
  });
});
