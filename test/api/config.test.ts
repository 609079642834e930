import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config.ts';

const KEY = 'acme-key-0123456789';
const HASH = createHash('sha256').update(KEY).digest('hex');
const parse = (keys: string) =>
  parseConfig(`source: { type: file, inputs: [a] }\napi:\n  keys: ${keys}\n`, 'c.yaml', { ACME_KEY: KEY });
const problem = (keys: string) => {
  try {
    parse(keys);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('api configuration', () => {
  it('takes plain keys, those of the environment, and hashes', () => {
    expect(parse(`{ acme: ['\${ACME_KEY}', 'sha256:${'0'.repeat(64)}'] }`).api?.keys).toEqual({
      acme: [KEY, `sha256:${'0'.repeat(64)}`],
    });
  });

  it.each([
    ['a short key', `{ acme: [hunter2secret] }`, 'at least 16'],
    ['a number', `{ acme: [12345678901234567] }`, 'in quotes'],
    ['a list in place of a key', `{ acme: [[secret-0123456789]] }`, 'in quotes'],
    ['a key that is no list', `{ acme: secret-key-0123456789 }`, 'a list of keys'],
    ['a list in place of customers', `[secret-key-0123456789]`, 'customers'],
    ['half a hash', `{ acme: ['sha256:secret'] }`, '64 hex digits'],
    ['a hash that was cut short', `{ acme: ['sha256:5f0c…'] }`, '64 hex digits'],
    ['spaces', `{ acme: ['secret key 0123456789'] }`, 'without spaces'],
    ['other letters', `{ acme: ['sécret-key-0123456789'] }`, 'ASCII'],
    ['no key', `{ acme: [] }`, 'at least 1'],
    ['no customer', `{}`, 'at least one customer'],
    [
      'a key of two customers',
      `{ acme: [secret-key-0123456789], beta: [secret-key-0123456789] }`,
      'of customer acme',
    ],
    ['a key and its hash', `{ acme: [${KEY}], beta: ['sha256:${HASH}'] }`, 'of customer acme'],
  ])('refuses %s, without showing it', (_, keys, expected) => {
    const message = problem(keys);
    expect(message).toMatch(/^c\.yaml:3:\d+ api\.keys/);
    expect(message).toContain(expected);
    // One value, one reason.
    expect(message?.trim().split('\n')).toHaveLength(1);
    expect(message).not.toMatch(/s[eé]cret[- ]key|hunter2|1234567890|sha256:secret/);
  });
});
