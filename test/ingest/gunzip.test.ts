import { randomBytes } from 'node:crypto';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gunzip, isGzip } from '../../src/ingest/gunzip.ts';

const text = Buffer.from(
  Array.from({ length: 3000 }, (_, at) => `{"n":${at},"x":"${randomBytes(6).toString('hex')}"}\n`).join(''),
);

async function unpack(compressed: Buffer, chunk = 50_000): Promise<{ bytes: Buffer; error: unknown }> {
  async function* chunks() {
    for (let at = 0; at < compressed.length; at += chunk)
      yield await Promise.resolve(compressed.subarray(at, at + chunk));
  }
  const parts: Buffer[] = [];
  let error: unknown = null;
  try {
    for await (const part of gunzip(chunks(), chunks)) parts.push(part);
  } catch (caught) {
    error = caught;
  }
  return { bytes: Buffer.concat(parts), error };
}

async function expectBytes(compressed: Buffer, expected: Buffer, chunk: number): Promise<void> {
  const { bytes, error } = await unpack(compressed, chunk);
  expect(error).toBeNull();
  expect(bytes.equals(expected)).toBe(true);
}

describe('gunzip', () => {
  it('tells gzip by its first bytes', () => {
    expect(isGzip(gzipSync('x'))).toBe(true);
    for (const other of ['', '\u001f', '{"a":1}']) expect(isGzip(Buffer.from(other))).toBe(false);
  });

  it('unpacks one member and several, in any pieces', async () => {
    const two = Buffer.concat([gzipSync(text), gzipSync(text)]);
    for (const chunk of [1000, 70_000, 1e9]) {
      await expectBytes(gzipSync(text), text, chunk);
      await expectBytes(two, Buffer.concat([text, text]), chunk);
    }
    await expectBytes(gzipSync(''), Buffer.alloc(0), 10);
  });

  it('a stream that ends early gives all that zlib can make of it, then the error', async () => {
    const whole = gzipSync(text);
    for (const length of [20, 1000, whole.length >> 1, whole.length - 1]) {
      const { bytes, error } = await unpack(whole.subarray(0, length));
      expect(error).toMatchObject({ code: 'Z_BUF_ERROR' });
      const possible = gunzipSync(whole.subarray(0, length), { finishFlush: constants.Z_SYNC_FLUSH });
      expect(bytes.equals(possible)).toBe(true);
    }
  });

  it('a damaged stream gives everything before the damage, then the error', async () => {
    const whole = gzipSync(text);
    const at = whole.length >> 1;
    const damaged = Buffer.from(whole);
    // An end of the member's data where none is: zlib notices at once or a little later.
    damaged.fill(0xff, at, at + 40);
    const before = gunzipSync(whole.subarray(0, at), { finishFlush: constants.Z_SYNC_FLUSH });
    const { bytes, error } = await unpack(damaged);
    expect(error).toBeInstanceOf(Error);
    expect(before.length).toBeGreaterThan(text.length / 4);
    expect(bytes.subarray(0, before.length).equals(before)).toBe(true);
  });
});
