import { z } from 'zod';
import { CorruptError } from '../errors.ts';
import type { DeadLetter } from '../types.ts';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
const millis = z.iso.datetime().transform((text) => Date.parse(text));

/** A line as deadLetterFiles writes it. */
const lineSchema = z.object({
  topic: z.string(),
  partition: z.int().min(0),
  offset: z.int().min(0),
  stage: z.enum(['decode', 'classify', 'deliver']),
  code: z.string(),
  detail: z.string(),
  timestamp: millis.nullable(),
  received_at: millis,
  bytes,
  key: bytes.nullable(),
  headers: z
    // zod's records leave out a key `__proto__`, and headers may have any name.
    .custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
    .transform((value) =>
      Object.fromEntries(Object.entries(value).map(([name, text]) => [name, bytes.parse(text)])),
    )
    .nullable(),
});

/**
 * The dead letters of a file of them, in its order; `where` names the file for errors. One line at a time is decoded, so that a file
 * of half a gigabyte takes no more memory than itself. Throws CorruptError naming the line that is none.
 */
export function* readDeadLetters(content: Uint8Array, where: string): Generator<DeadLetter> {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  let number = 1;
  for (let start = 0; start < text.length; number++) {
    const end = text.indexOf(0x0a, start);
    yield parseLine(text.toString('utf8', start, end < 0 ? text.length : end), `${where}:${number}`);
    start = end < 0 ? text.length : end + 1;
  }
}

function parseLine(line: string, where: string): DeadLetter {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new CorruptError(`${where}: expected a dead letter as JSON, got something else`, { cause: error });
  }
  const result = lineSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new CorruptError(
      `${where}: expected a dead letter, but ${issue?.path.join('.')} is not one: ${issue?.message}`,
    );
  }
  const { received_at: receivedAt, ...fields } = result.data;
  return { ...fields, receivedAt };
}
