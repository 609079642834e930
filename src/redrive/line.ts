import { isUtf8 } from 'node:buffer';

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/**
 * A message as one line of a file, without a line end of its own: its bytes as they are. Line feeds of JSON are white space
 * (within strings they are escaped), so spaces take their place. Undefined for anything else that has them.
 */
export function lineOf(bytes: Uint8Array): Uint8Array | undefined {
  if (!bytes.includes(LINE_FEED)) return bytes;
  if (!isJson(bytes)) return undefined;
  return bytes.map((byte) => (byte === LINE_FEED ? SPACE : byte));
}

function isJson(bytes: Uint8Array): boolean {
  if (!isUtf8(bytes)) return false;
  try {
    JSON.parse(Buffer.from(bytes).toString());
    return true;
  } catch {
    return false;
  }
}
