import { median } from './statistics.ts';

const MIB = 1024 ** 2;

/**
 * Memory in the second and in the last third of a run, in MiB, each the median: what still grows shows as a difference. The first
 * third warms up. `memory`: bytes over time.
 */
export function growthOf(memory: readonly { readonly rss: number }[]): Record<string, number> {
  const third = Math.floor(memory.length / 3);
  const middle = (from: number, to: number) => median(memory.slice(from, to).map(({ rss }) => rss)) / MIB;
  return {
    'MiB second third': middle(third, 2 * third),
    'MiB last third': middle(2 * third, memory.length),
  };
}
