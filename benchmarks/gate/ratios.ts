import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS, STAGES } from '../stages/index.ts';
import type { Stage } from '../stages/stage.ts';

/** Runs that are not measured. */
const WARM_UPS = 2;

/** CPU time of one look at a stage, at least: short ones are run several times. */
const LEAST_SECONDS = 0.15;

/** Stages that are open in this process, with their least CPU time per message so far, in seconds. */
export interface Ratios {
  /** Runs those of these names once more, in turns. */
  round(names: readonly string[]): Promise<void>;
  /** CPU time of a stage per message, divided by that of another one. The least of all rounds: noise only ever adds. */
  of(name: string, reference: string): number;
  close(): Promise<void>;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Opens stages and limits in this process, side by side, and warms them up. */
export async function openRatios(names: readonly string[]): Promise<Ratios> {
  const open = new Map<string, Stage>();
  const least = new Map<string, number>();
  for (const name of names) {
    const entry = STAGES[name] ?? LIMITS[name];
    if (!entry) throw new RangeError(`expected the name of a stage or a limit, got ${JSON.stringify(name)}`);
    const stage = await (await entry.open())();
    for (let run = 0; run < WARM_UPS; run++) await stage.run();
    open.set(name, stage);
  }
  return {
    async round(wanted) {
      for (const name of wanted) {
        const stage = open.get(name)!;
        // What one stage leaves behind is not collected at the expense of the next one.
        collectGarbage();
        const before = process.cpuUsage();
        let seconds = 0;
        let count = 0;
        while (seconds < LEAST_SECONDS) {
          await stage.run();
          count += stage.count;
          const { user, system } = process.cpuUsage(before);
          seconds = (user + system) / 1e6;
        }
        least.set(name, Math.min(least.get(name) ?? Infinity, seconds / count));
      }
    },
    of: (name, reference) => least.get(name)! / least.get(reference)!,
    async close() {
      for (const stage of open.values()) await stage.close?.();
    },
  };
}
