const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DIGITS = /^\d{1,19}(?:\.\d{1,9})?$/;

/**
 * Event time as microseconds since 1970 UTC, a whole number; NaN when `value` is none or before 1970. Accepts
 * - ISO 8601: date, or date and time to minutes, seconds or a fraction (beyond microseconds it is cut off), with `Z`,
 *   an offset, or nothing for UTC;
 * - a number or a string of digits since 1970, its unit told by its size: below 10^11 seconds (year 5138), below 10^14
 *   milliseconds, below 10^17 microseconds, else nanoseconds.
 */
export function parseTimestamp(value: unknown): number {
  if (typeof value === 'number') return numberMicros(value);
  if (typeof value !== 'string') return NaN;
  if (value.charCodeAt(4) === 45 && value.charCodeAt(7) === 45) return isoMicros(value);
  return DIGITS.test(value) ? digitsMicros(value) : NaN;
}

function numberMicros(value: number): number {
  if (!(value >= 0)) return NaN;
  if (value < 1e11) return Math.round(value * 1e6);
  if (value < 1e14) return Math.round(value * 1e3);
  if (value < 1e17) return Math.floor(value);
  return value < 1e20 ? Math.floor(value / 1e3) : NaN;
}

/** Nanoseconds do not fit a number, so they are cut off as text. */
function digitsMicros(text: string): number {
  const value = Number(text);
  return value >= 1e17 && text.length > 3 && !text.includes('.')
    ? Number(text.slice(0, -3))
    : numberMicros(value);
}

/** Two digits at `at`, or NaN. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

function isoMicros(text: string): number {
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  if (!(year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= DAYS_IN_MONTH[month - 1]!))
    return NaN;
  if (month === 2 && day === 29 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))) return NaN;
  const days = daysSince1970(year, month, day);
  if (text.length === 10) return days * 86_400e6;

  const separator = text.charCodeAt(10);
  if (separator !== 84 && separator !== 32 && separator !== 116) return NaN;
  const hour = two(text, 11);
  const minute = two(text, 14);
  if (!(hour <= 23 && minute <= 59 && text.charCodeAt(13) === 58)) return NaN;
  let at = 16;
  let second = 0;
  let micros = 0;
  if (text.charCodeAt(16) === 58) {
    second = two(text, 17);
    // 60 is a leap second: it falls on the first second of the next minute.
    if (!(second <= 60)) return NaN;
    at = 19;
    const mark = text.charCodeAt(19);
    if (mark === 46 || mark === 44) {
      let unit = 100_000;
      for (at = 20; ; at++) {
        const digit = text.charCodeAt(at) - 48;
        if (!(digit >= 0 && digit <= 9)) break;
        micros += digit * unit;
        unit = Math.floor(unit / 10);
      }
      if (at === 20) return NaN;
    }
  }
  const offset = offsetMinutes(text, at);
  const result = ((days * 1440 + hour * 60 + minute - offset) * 60 + second) * 1e6 + micros;
  return result >= 0 ? result : NaN;
}

/** Minutes east of UTC that `text` names from `at` to its end; NaN when that is no zone. */
function offsetMinutes(text: string, at: number): number {
  const rest = text.length - at;
  if (rest === 0) return 0;
  const sign = text.charCodeAt(at);
  if (rest === 1) return sign === 90 || sign === 122 ? 0 : NaN;
  if (sign !== 43 && sign !== 45) return NaN;
  const hours = two(text, at + 1);
  let minutes = 0;
  if (rest === 6 && text.charCodeAt(at + 3) === 58) minutes = two(text, at + 4);
  else if (rest === 5) minutes = two(text, at + 3);
  else if (rest !== 3) return NaN;
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return (sign === 45 ? -1 : 1) * (hours * 60 + minutes);
}

/** Days from 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day comes last. */
function daysSince1970(year: number, month: number, day: number): number {
  const years = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    years * 365 +
    Math.floor(years / 4) -
    Math.floor(years / 100) +
    Math.floor(years / 400) +
    dayOfYear -
    719_468
  );
}
