import { z } from 'zod';

const SIZE_FACTORS: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

const DURATION_FACTORS: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

function scaled(value: string, factors: Record<string, number>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(value.trim());
  const factor = match ? factors[match[2]!] : undefined;
  return match && factor !== undefined ? Math.round(Number(match[1]) * factor) : undefined;
}

function quantity(factors: Record<string, number>, what: string, example: string) {
  const expectation = (value: unknown) =>
    `expected ${what} such as ${example} (units: ${Object.keys(factors).join(', ')}), got ${JSON.stringify(value)}`;
  return z.string({ error: ({ input }) => expectation(input) }).transform((value, context) => {
    const result = scaled(value, factors);
    if (result === undefined) {
      context.addIssue({
        code: 'custom',
        message: expectation(value),
        input: value,
      });
      return z.NEVER;
    }
    return result;
  });
}

/** A size in the configuration, such as `128MiB`; parsed to bytes. */
export function size() {
  return quantity(SIZE_FACTORS, 'a size', '128MiB');
}

/** A duration in the configuration, such as `5m`; parsed to milliseconds. */
export function duration() {
  return quantity(DURATION_FACTORS, 'a duration', '5m');
}

/** Milliseconds as the configuration would have them, in the largest unit without a fraction: `2d`, `90s`. */
export function formatDuration(millis: number): string {
  const units = Object.entries(DURATION_FACTORS).toReversed();
  const [unit, factor] = units.find(([, each]) => millis >= each && millis % each === 0) ?? ['ms', 1];
  return `${millis / factor}${unit}`;
}

/** A duration in the configuration that ends a wait: of nothing it would end every one. */
export function timeLimit() {
  return duration().refine((millis) => millis >= 1, 'expected 1ms or more');
}

/** Bytes for people: `12.3 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]!}`;
}
