import { MisconfiguredError } from './errors.ts';
import type { Partition, Position } from './types.ts';

/** What `sluice replay` is asked for. */
export interface ReplayRequest {
  /** `topic:partition=from[-to],…`; `to` is the last offset, included. */
  readonly fromOffsets?: string | undefined;
  /** ISO 8601 times: messages from the first to before the second, by the topic's time stamps. */
  readonly fromTime?: string | undefined;
  readonly toTime?: string | undefined;
}

/** Offsets [from, to) of a partition; without `to`, up to its end. */
export interface ReplayRange extends Partition {
  readonly from: number;
  readonly to: number;
}

/** Reads `topic:partition=from[-to],…`. Throws MisconfiguredError with what is wrong. `to` is exclusive in the answer, NaN for the end. */
export function parseOffsets(text: string): ReplayRange[] {
  const ranges = text.split(',').map((part) => {
    const match = /^([A-Za-z0-9._-]+):(\d+)=(\d+)(?:-(\d+))?$/.exec(part.trim());
    const [topic, partition, from, last] = match?.slice(1) ?? [];
    if (topic === undefined)
      throw refused(
        '--from-offsets',
        'topic:partition=from or topic:partition=from-to, separated by commas',
        part,
      );
    const range = {
      topic,
      partition: Number(partition),
      from: Number(from),
      to: last === undefined ? NaN : Number(last) + 1,
    };
    if (range.to <= range.from) throw refused('--from-offsets', `an end from ${from} on`, part);
    return range;
  });
  const names = ranges.map(({ topic, partition }) => `${topic}:${partition}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused('--from-offsets', 'each partition once', `${twice} twice`);
  return ranges;
}

/** An ISO 8601 time of the command line, as milliseconds UTC. Throws MisconfiguredError naming the option. */
export function parseTime(option: string, text: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time))
    throw refused(option, 'a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z', text);
  return time;
}

/** A name for a replay that nobody named: the same for the same request, so that the same command goes on with it. */
export function labelOf({ fromOffsets, fromTime, toTime }: ReplayRequest): string {
  const text = fromOffsets ?? [fromTime, toTime].filter((time) => time !== undefined).join('-to-');
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
}

/**
 * Holds asked ranges against what the topic has: fills in ends, and refuses what has expired or is not there yet. Throws
 * MisconfiguredError naming the partition and what it has.
 */
export function withinTopic(
  ranges: readonly ReplayRange[],
  beginnings: readonly Position[],
  ends: readonly Position[],
): ReplayRange[] {
  return ranges.map((range) => {
    const name = `${range.topic}:${range.partition}`;
    const first = offsetOf(beginnings, range);
    const end = offsetOf(ends, range);
    if (first === undefined || end === undefined)
      throw refused('--from-offsets', 'a partition that there is', name);
    const to = Number.isNaN(range.to) ? end : range.to;
    if (range.from < first)
      throw refused(name, `offsets from ${first} on (older messages have expired)`, String(range.from));
    if (to > end || range.from > end)
      throw refused(
        name,
        `offsets up to ${end - 1}, the last one that there is`,
        String(Math.max(range.from, to - 1)),
      );
    return { ...range, to };
  });
}

/** The offset of a partition among positions. */
export function offsetOf(
  positions: readonly Position[],
  { topic, partition }: Partition,
): number | undefined {
  return positions.find((each) => each.topic === topic && each.partition === partition)?.offset;
}

function refused(where: string, expected: string, got: string): MisconfiguredError {
  return new MisconfiguredError(`${where}: expected ${expected}, got ${got}`);
}
