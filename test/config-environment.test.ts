import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { createMask, fillFromEnvironment } from '../src/config-environment.ts';

function fill(template: string, env: NodeJS.ProcessEnv): string {
  const document = parseDocument(JSON.stringify([template]));
  fillFromEnvironment(document, env);
  return (document.toJS() as [string])[0];
}

describe('texts of the environment', () => {
  it('come out of a URL as they are in the environment', () => {
    const text = fc.string({ minLength: 1, unit: 'binary' });
    fc.assert(
      fc.property(text, text, (USER, PW) => {
        for (const scheme of ['redis', 'postgres', 'https']) {
          const url = new URL(fill(`${scheme}://\${USER}:\${PW}@host:1234/0`, { USER, PW }));
          expect(decodeURIComponent(url.username)).toBe(USER.toWellFormed());
          expect(decodeURIComponent(url.password)).toBe(PW.toWellFormed());
          expect(url.host).toBe('host:1234');
        }
      }),
    );
  });

  it('reach the clients of Redis and PostgreSQL as they are in the environment', () => {
    const PW = 'pa/ss+w#rd@:%41?';
    const redis = new Redis(fill('redis://sluice:${PW}@host:1234/0', { PW }), { lazyConnect: true });
    expect(redis.options).toMatchObject({ host: 'host', port: 1234, username: 'sluice', password: PW });
    const client = new Client({ connectionString: fill('postgres://sluice:${PW}@host:1234/db', { PW }) });
    expect(client).toMatchObject({ host: 'host', port: 1234, user: 'sluice', password: PW });
  });

  it('are percent-encoded in the user-info alone', () => {
    const env = { X: 'a/b:c@d', USER: 'u:p/w:x' };
    const kept = [
      '${X}',
      'see ${X}@',
      'http://h/${X}@',
      'http://${X}/',
      'http://u@h?${X}@',
      '${X}@h',
      'a: ${X}',
    ];
    for (const template of kept) expect(fill(template, env)).toBe(template.replace('${X}', env.X));
    expect(fill('s://u@d:${X}@h/${X}', env)).toBe('s://u@d:a%2Fb%3Ac%40d@h/a/b:c@d');
    expect(fill('${S}://:${X}@h', { ...env, S: 'rediss' })).toBe('rediss://:a%2Fb%3Ac%40d@h');
    expect(fill('s://${USER}@h', env)).toBe('s://u:p%2Fw%3Ax@h');
  });
});

describe('the mask', () => {
  const masked = (template: string, env: NodeJS.ProcessEnv) => {
    const document = parseDocument(JSON.stringify([template, { [`k${template}`]: 1 }]));
    const { mask } = fillFromEnvironment(document, env);
    const [text, map] = document.toJS() as [string, object];
    return { mask, text, key: Object.keys(map)[0]! };
  };

  it('hides short values where they stand, and no words for them', () => {
    const { mask, text, key } = masked('Basic ${S}', { S: 'a' });
    expect(mask.text(text)).toBe('Basic ***');
    expect(mask.step(key)).toBe('kBasic ***');
    expect(mask.sentence('expected a date, got "Basic a"')).toBe('expected a date, got "Basic ***"');
    expect(mask.text('a day')).toBe('a day');
  });

  it('hides long values wherever they are quoted, the longest first, in any case', () => {
    const { mask } = masked('${A}${B}', { A: 'a"b\nc', B: 'a"b\nc.d' });
    for (const said of ['a"b\nc.d', JSON.stringify('a"b\nc.d').slice(1, -1), 'A"B\nC.D'])
      expect(mask.sentence(`got ${said}!`)).toBe('got ***!');
    expect(mask.sentence('got a"b\ncxd')).toBe('got ***xd');
    expect(mask.step('source')).toBe('source');
    const url = masked('s://u:${S}@h', { S: 'pa/ss+w' });
    for (const said of ['pa/ss+w', 'pa%2Fss%2Bw']) expect(url.mask.sentence(`got ${said}!`)).toBe('got ***!');
  });

  it('hides nothing for values that are empty or missing', () => {
    expect(masked('${A}${B}', { A: '' }).mask.sentence('expected "", got ""')).toBe('expected "", got ""');
  });

  it('hides user and password of URLs, but not those of examples', () => {
    const mask = createMask();
    expect(mask.text('redis://u:p/w@x"y z@h/0')).toBe('redis://***@h/0');
    expect(mask.text('see https://token@h')).toBe('see https://***@h');
    expect(mask.text('https://h/a, me@h')).not.toContain('me@');
    const example = 'expected a URL such as postgres://user:password@host or postgres://user@host';
    expect(mask.sentence(`${example}, got postgres://u:p@h`)).toBe(`${example}, got postgres://***@h`);
  });
});
