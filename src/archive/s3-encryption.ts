import type { S3StoreConfig } from './s3-config.ts';

/** What a request that creates an object says of its encryption; the names are those of the SDK. */
export interface EncryptionHeaders {
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms';
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
}

/** Encryption of an object of that customer, or of no single customer. */
export function encryptionOf(config: S3StoreConfig['encryption'], customer?: string): EncryptionHeaders {
  if (config.type === 'none') return {};
  if (config.type === 's3') return { ServerSideEncryption: 'AES256' };
  const key =
    customer === undefined
      ? (config.kms_key_default ?? config.kms_key)
      : config.kms_key?.replaceAll('{customer}', () => aliasPart(customer));
  return {
    ServerSideEncryption: 'aws:kms',
    ...(key === undefined ? {} : { SSEKMSKeyId: key }),
    BucketKeyEnabled: config.bucket_key,
  };
}

/**
 * A customer as a part of an alias, which may hold letters, digits, `-`, `_` and `/`: letters, digits, `-` and `_` stay,
 * every other byte of its UTF-8 becomes `/` and two hex digits. Different customers never share a key by it: the encoding
 * can be undone, and unpaired surrogates, which UTF-8 cannot hold, count as three bytes of their own.
 */
export function aliasPart(customer: string): string {
  let part = '';
  for (const char of customer) {
    if (/^[A-Za-z0-9_-]$/.test(char)) part += char;
    else for (const byte of bytesOf(char)) part += `/${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return part;
}

function bytesOf(char: string): Uint8Array | number[] {
  const code = char.codePointAt(0)!;
  // The three bytes that UTF-8 would have for it (WTF-8); no well-formed text has them.
  if (code >= 0xd800 && code <= 0xdfff)
    return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
  return Buffer.from(char);
}
