import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeys } from '../../src/api/keys.ts';

const hashed = (key: string) => `sha256:${createHash('sha256').update(key).digest('hex')}`;

describe('keys', () => {
  const keys = createKeys({
    acme: ['acme-old-0123456789', 'acme-new-0123456789'],
    beta: [hashed('beta-key-0123456789')],
  });

  it.each([
    ['as Koko’s clients send it', 'acme-old-0123456789', 'acme'],
    ['the next one while it rotates', 'acme-new-0123456789', 'acme'],
    ['as a bearer token', 'Bearer acme-old-0123456789', 'acme'],
    ['with the scheme in another case', 'bearer  beta-key-0123456789 ', 'beta'],
    ['configured by its hash', 'beta-key-0123456789', 'beta'],
  ])('knows a key %s', (_, header, customer) => {
    expect(keys.customerOf(header)).toBe(customer);
  });

  it.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['no key', 'Bearer '],
    ['the beginning of a key', 'acme-old-012345678'],
    ['a key and more', 'acme-old-01234567890'],
    ['another scheme', 'Basic acme-old-0123456789'],
    ['the configured hash in place of the key', hashed('beta-key-0123456789')],
    ['the name of a customer', 'acme'],
    ['a name that objects inherit', 'constructor'],
  ])('knows nobody by %s', (_, header) => {
    expect(keys.customerOf(header)).toBeUndefined();
  });
});
