import type { RawBatch } from '../../src/types.ts';

/** Receipt of the batches made here: 2026-03-01T00:00:00Z. */
export const RECEIVED_AT = Date.UTC(2026, 2, 1);

/** Keys and headers of messages, in the form that is easy to write. */
export interface Beside {
  readonly keys?: readonly (Uint8Array | null)[];
  readonly headers?: readonly Readonly<Record<string, Uint8Array>>[];
}

/** A batch of the given values, with a stray byte between them as record formats have. */
export function rawBatch(
  values: readonly (string | Uint8Array | null)[],
  more: Partial<Omit<RawBatch, 'keys' | 'headers'>> & Beside = {},
): RawBatch {
  const { first = 0, keys, headers, ...rest } = more;
  const parts: Uint8Array[] = [];
  let size = 0;
  const write = (part: Uint8Array): [number, number] => {
    parts.push(part);
    size += part.length;
    return [size - part.length, size];
  };
  const slices = (places: readonly [number, number][]) => ({
    starts: Uint32Array.from(places, ([start]) => start),
    ends: Uint32Array.from(places, ([, end]) => end),
  });
  const names = [...new Set(headers?.flatMap((own) => Object.keys(own)))];
  const ofValues: [number, number][] = [];
  const ofKeys: [number, number][] = [];
  const ofHeaders: [number, number][] = [];
  const name: number[] = [];
  const firsts = [0];
  for (const [row, value] of values.entries()) {
    ofValues.push(write(typeof value === 'string' ? Buffer.from(value) : (value ?? new Uint8Array(0))));
    const key = keys?.[row] ?? null;
    ofKeys.push(key ? write(key) : [size + 1, size]);
    for (const [each, content] of Object.entries(headers?.[row] ?? {})) {
      name.push(names.indexOf(each));
      ofHeaders.push(write(content));
    }
    firsts.push(ofHeaders.length);
    write(Uint8Array.of(10));
  }
  return {
    topic: 'posts',
    partition: 3,
    rows: values.length,
    bytes: new Uint8Array(Buffer.concat(parts)),
    ...slices(ofValues),
    offsets: Float64Array.from(values, (_, row) => first + row),
    timestamps: new Float64Array(values.length).fill(NaN),
    receivedAt: RECEIVED_AT,
    first,
    next: first + values.length,
    nulls: Uint8Array.from(values, (value) => (value === null ? 1 : 0)),
    ...(keys ? { keys: slices(ofKeys) } : {}),
    ...(headers
      ? {
          headers: {
            names,
            name: Uint32Array.from(name),
            first: Uint32Array.from(firsts),
            ...slices(ofHeaders),
          },
        }
      : {}),
    ...rest,
  };
}
