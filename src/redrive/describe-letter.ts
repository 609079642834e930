import { isUtf8 } from 'node:buffer';
import type { DeadLetter } from '../types.ts';
import { isoOf, printable, valueText } from './describe.ts';
import type { Redriven } from './ledger.ts';
import { idOf, sinkOf, timesOf } from './letter.ts';

/** Bytes to a line of {@link hexOf}. */
const HEX_LINE = 16;

/** One line: id, stage, code, time of receipt, why. */
export function letterLine(letter: DeadLetter, redriven: Redriven | undefined): string {
  const { stage, code, detail, receivedAt } = letter;
  const sent = redriven ? ` [sent back ${redriven.at} to ${redriven.to}]` : '';
  return printable(`${idOf(letter)} ${stage} ${code} ${isoOf(receivedAt)} ${detail}${sent}`);
}

/** The same for machines; bytes are only counted. */
export function letterJson(letter: DeadLetter, redriven: Redriven | undefined): object {
  const { topic, partition, offset, stage, code, detail, receivedAt, bytes } = letter;
  return {
    id: idOf(letter),
    topic,
    partition,
    offset,
    stage,
    code,
    detail,
    sink: sinkOf(letter) ?? null,
    received_at: isoOf(receivedAt),
    bytes: bytes.length,
    times: timesOf(letter),
    redriven: redriven ?? null,
  };
}

/** Everything of a letter: its facts, key, headers and bytes; text where they are UTF-8, else hexadecimal. */
export function letterText(letter: DeadLetter, redriven: Redriven | undefined): string {
  const { topic, partition, offset, stage, code, detail, timestamp, receivedAt, key, headers, bytes } =
    letter;
  const facts: [string, string][] = [
    ['id', idOf(letter)],
    ['position', `topic ${topic}, partition ${partition}, offset ${offset}`],
    ['stage, code', `${stage}, ${code}`],
    ['detail', detail],
    ['time stamp', timestamp === null ? 'none' : isoOf(timestamp)],
    ['received at', isoOf(receivedAt)],
    ['sent back', redriven ? `${redriven.at} to ${redriven.to}` : 'no'],
    ['key', key ? valueText(key) : 'none'],
    ...Object.entries(headers ?? {}).map(([name, value]): [string, string] => [
      `header ${name}`,
      valueText(value),
    ]),
    ['bytes', String(bytes.length)],
  ];
  const body = isUtf8(bytes) ? printable(Buffer.from(bytes).toString(), { lines: true }) : hexOf(bytes);
  return `${facts.map(([name, value]) => `${printable(name)}: ${printable(value)}`).join('\n')}\n\n${body}`;
}

/** `00000010  7b 22 69 …  {"i…`, as hexdump has it. */
function hexOf(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += HEX_LINE) {
    const part = [...bytes.subarray(start, start + HEX_LINE)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = part.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${start.toString(16).padStart(8, '0')}  ${hex.padEnd(HEX_LINE * 3)} ${text}`);
  }
  return lines.join('\n');
}
