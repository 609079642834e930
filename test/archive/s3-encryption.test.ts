import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { s3StoreConfig } from '../../src/archive/s3-config.ts';
import { aliasPart, encryptionOf } from '../../src/archive/s3-encryption.ts';

const kms = (fields: object) => s3StoreConfig.shape.encryption.parse({ type: 'kms', ...fields });

describe('the key of a customer', () => {
  it('is that of the template', () => {
    const encryption = kms({ kms_key: 'alias/{customer}/{customer}', kms_key_default: 'alias/all' });
    expect(encryptionOf(encryption, 'a_1-B')).toEqual({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'alias/a_1-B/a_1-B',
      BucketKeyEnabled: true,
    });
    expect(encryptionOf(encryption, '$&').SSEKMSKeyId).toBe('alias//24/26//24/26');
    expect(encryptionOf(encryption).SSEKMSKeyId).toBe('alias/all');
    expect(encryptionOf(kms({}))).toEqual({ ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true });
    expect(encryptionOf(kms({ kms_key: 'alias/one' })).SSEKMSKeyId).toBe('alias/one');
  });

  it('has only letters that aliases may have, and gives the customer back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (customer) => {
        const part = aliasPart(customer);
        expect(part).toMatch(/^(?:[A-Za-z0-9_-]|\/[0-9A-F]{2})*$/);
        expect(decodeURIComponent(part.replaceAll('/', '%'))).toBe(customer);
      }),
    );
  });

  it('differs for different customers, whatever they are named', () => {
    const name = fc.string({
      unit: fc.constantFrom('/', '2', 'F', 'a', 'ü', '\ud800', '\udc00', '\ufffd', '\ud801'),
    });
    fc.assert(
      fc.property(name, name, (a, b) => {
        fc.pre(a !== b);
        expect(aliasPart(a)).not.toBe(aliasPart(b));
      }),
    );
  });
});

describe('the configuration of the S3 store', () => {
  const parse = (fields: object) => s3StoreConfig.safeParse({ type: 's3', bucket: 'lake', ...fields });

  it('has defaults', () => {
    expect(parse({}).data).toEqual({
      type: 's3',
      bucket: 'lake',
      prefix: '',
      path_style: false,
      encryption: { type: 'none' },
      part_bytes: 8 * 1024 ** 2,
      connections: 32,
      connect_timeout: 5_000,
      idle_timeout: 30_000,
    });
  });

  it.each([
    [{ bucket: 's3://lake' }, 'expected the name of a bucket'],
    [{ bucket: 'lake/x' }, 'expected the name of a bucket'],
    [{ prefix: 'x' }, 'expected nothing, or a path such as `moderation/`'],
    [{ prefix: '/x/' }, 'expected nothing'],
    [{ prefix: '/' }, 'expected nothing'],
    [{ prefix: 'a//b/' }, 'expected nothing'],
    [{ prefix: 'a/../b/' }, 'expected nothing'],
    [{ prefix: '_sluice/' }, 'expected nothing'],
    [{ endpoint: 'localhost:7070' }, 'expected a URL'],
    [{ part_bytes: '4MiB' }, 'expected 5MiB to 1GiB'],
    [{ connections: 0 }, '>=1'],
    [{ storage_class: 'standard' }, 'expected a storage class such as STANDARD'],
    [{ encryption: { type: 'kms', kms_key: 'alias/{customer}' } }, 'expected `kms_key_default` beside'],
    [{ encryption: { type: 'kms', kms_key_default: 'alias/{customer}' } }, 'without a placeholder'],
    [{ access_key: 'x' }, 'Unrecognized key'],
  ])('refuses %j', (fields, message) => {
    expect(
      parse(fields)
        .error?.issues.map((issue) => issue.message)
        .join(),
    ).toContain(message);
  });
});
