import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Option, type Command } from 'commander';
import { hashOf } from './classify/index.ts';
import { InputError, messageOf } from './errors.ts';

/** What `sluice hash` takes. */
export interface HashFlags {
  readonly format: 'lines' | 'jsonl';
  /** Of JSON lines: the member that holds the text. */
  readonly field: string;
}

/** Lines of output that are written at a time. */
const AT_ONCE = 1000;

/** Gives `sluice hash` its flags; `print` writes a result. */
export function describeHash(command: Command, print: (text: string) => void): Command {
  return command
    .description(
      'print the hash of each text, for a list of `classify.hash_lists`; texts without visible characters have none',
    )
    .argument('[files...]', 'texts; - for standard input', ['-'])
    .addOption(
      new Option('--format <format>', 'a text on each line, or an object in JSON')
        .choices(['lines', 'jsonl'])
        .default('lines'),
    )
    .option('--field <name>', 'member of the objects that holds the text', 'text')
    .action(async (files: string[], flags: HashFlags) => {
      let lines: string[] = [];
      for await (const hash of hashesOf(files, flags)) {
        if (lines.push(hash) < AT_ONCE) continue;
        print(lines.join('\n'));
        lines = [];
      }
      if (lines.length > 0) print(lines.join('\n'));
    });
}

/** SHA-256 in hex of each text in turn, as hash lists hold it. Throws InputError, `file:line: expected …`, never a text. */
export async function* hashesOf(files: readonly string[], flags: HashFlags): AsyncGenerator<string> {
  for (const file of files) {
    let line = 0;
    for await (const content of linesOf(file)) {
      line++;
      if (flags.format === 'jsonl' && content.trim() === '') continue;
      const text = flags.format === 'jsonl' ? textIn(content, flags.field, `${file}:${line}`) : content;
      const hash = hashOf(text);
      if (hash) yield hash.toString('hex');
    }
  }
}

/** Lines end with LF or CR LF, and with nothing else: readline would also cut texts at U+2028, as JSON may have them. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    if (file !== '-') await once(input, 'open');
    // Leaves a byte order mark out.
    const decoder = new TextDecoder();
    const lineOf = (text: string) => (text.endsWith('\r') ? text.slice(0, -1) : text);
    let parts: string[] = [];
    for await (const chunk of input) {
      const [first, ...others] = decoder.decode(chunk as Buffer, { stream: true }).split('\n');
      parts.push(first!);
      for (const next of others) {
        yield lineOf(parts.join(''));
        parts = [next];
      }
    }
    const last = parts.join('') + decoder.decode();
    if (last !== '') yield lineOf(last);
  } catch (error) {
    throw new InputError(`${file}: expected a readable file, got ${messageOf(error)}`, { cause: error });
  } finally {
    if (file !== '-') input.destroy();
  }
}

function textIn(line: string, field: string, at: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new InputError(`${at}: expected an object in JSON, got something else`);
  }
  const text: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  if (typeof text === 'string') return text;
  throw new InputError(
    `${at}: expected a text in "${field}", got ${text === undefined ? 'nothing' : typeof text}; --field names another member`,
  );
}
