import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A key as an entry of the configuration may name it: by its SHA-256. */
export const HASHED_KEY = /^sha256:[0-9a-f]{64}$/;

/** Says whose key an `Authorization` header carries. */
export interface Keys {
  /** The customer, or undefined when the header is missing or its key is nobody's. */
  customerOf(authorization: string | undefined): string | undefined;
}

/**
 * Keys by their SHA-256; a plain one is forgotten when it is hashed. The header is the key itself, as Koko's clients send it, or
 * `Bearer` and the key. What a caller sent is looked up by a code under a secret of this process, so the time of an
 * answer tells nothing about stored keys, however many there are.
 */
export function createKeys(config: Readonly<Record<string, readonly string[]>>): Keys {
  const secret = randomBytes(32);
  const codeOf = (digest: Buffer) => createHmac('sha256', secret).update(digest).digest('hex');
  const known = new Map(
    Object.entries(config).flatMap(([customer, own]) =>
      own.map((key) => {
        const digest = digestOf(key);
        return [codeOf(digest), { customer, digest }] as const;
      }),
    ),
  );
  return {
    customerOf(authorization) {
      if (authorization === undefined) return undefined;
      const presented = sha256(authorization.replace(/^Bearer +/i, '').trim());
      const found = known.get(codeOf(presented));
      return found && timingSafeEqual(found.digest, presented) ? found.customer : undefined;
    },
  };
}

/** SHA-256 of a key, whichever way the configuration names it. */
export function digestOf(key: string): Buffer {
  return HASHED_KEY.test(key) ? Buffer.from(key.slice('sha256:'.length), 'hex') : sha256(key);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
