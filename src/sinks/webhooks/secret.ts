const PREFIX = 'whsec_';
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/**
 * The key that a secret stands for: base64 after `whsec_`, 24 to 64 bytes (Standard Webhooks, "Signature scheme"). Undefined when it is none.
 */
export function secretKey(secret: string): Buffer | undefined {
  if (!secret.startsWith(PREFIX)) return undefined;
  const text = secret.slice(PREFIX.length);
  const key = Buffer.from(text, 'base64');
  // Node decodes what it can; a secret that lost a character must not become another key.
  if (key.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) return undefined;
  return key.length >= LEAST_BYTES && key.length <= MOST_BYTES ? key : undefined;
}

/** What {@link secretKey} expects, for errors. */
export const SECRET_EXPECTATION = `expected a secret: ${PREFIX} and ${LEAST_BYTES} to ${MOST_BYTES} random bytes in base64 (\`echo ${PREFIX}$(openssl rand -base64 32)\`), got something else`;
