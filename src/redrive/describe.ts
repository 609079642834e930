/** What a message holds never reaches a terminal as it is. */
import { isUtf8 } from 'node:buffer';
import { KEPT } from './plan.ts';
import type { Resent } from './resend.ts';

/** Text whose control and format characters are written as escapes; line ends and tabs too unless `lines`. */
export function printable(text: string, { lines = false } = {}): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, (character) => {
    if (lines && (character === '\n' || character === '\t')) return character;
    return `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}

/** What a redrive did, or would do. */
export function resentText({ sent, kept, refused, stopped }: Resent, dryRun: boolean): string {
  const verb = dryRun ? 'would be sent to' : 'sent to';
  const lines = Object.entries(sent).map(([place, count]) => `${count} ${verb} ${printable(place)}`);
  return [
    ...(lines.length > 0 ? lines : [dryRun ? 'nothing would be sent' : 'nothing sent']),
    ...Object.entries(kept).map(
      ([reason, count]) => `${count} stay, ${reason}: each ${KEPT[reason as keyof typeof KEPT]}`,
    ),
    ...(refused > 0 ? [`${refused} refused; they stay dead letters`] : []),
    ...(stopped ? ['stopped before its end: the same command goes on with it'] : []),
  ].join('\n');
}

/** A key or header: quoted where it is text. */
export function valueText(value: Uint8Array): string {
  return isUtf8(value) ? JSON.stringify(Buffer.from(value).toString()) : `base64 ${base64Of(value)}`;
}

/** Bytes in base64. */
export function base64Of(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

/** Milliseconds UTC as ISO 8601, where they have a year of four digits. */
export function isoOf(millis: number): string {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? `${millis} ms` : date.toISOString();
}
