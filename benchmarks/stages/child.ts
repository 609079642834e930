/** `node child.ts NAME [SECONDS]`: one sample of a stage or a limit in this process, as one line of JSON on standard output. */
import type { Sample } from '../harness/sample.ts';
import { LIMITS, STAGES } from './index.ts';
import type { StageOutcome } from './stage.ts';

/** Runs that are not measured: the first compiles, the second runs what was compiled. */
const WARM_UPS = 2;

const [name = '', seconds = '2'] = process.argv.slice(2);
const entry = STAGES[name] ?? LIMITS[name];
if (!entry) throw new Error(`expected the name of a stage, got ${JSON.stringify(name)}`);
const stage = await (await entry.open())();
for (let run = 0; run < WARM_UPS; run++) await stage.run();

const started = performance.now();
const before = process.cpuUsage();
let runs = 0;
let outcome: StageOutcome | undefined;
do {
  outcome = await stage.run();
  runs++;
} while (performance.now() - started < Number(seconds) * 1000);
const { user, system } = process.cpuUsage(before);
const sample: Sample = {
  count: runs * stage.count,
  seconds: (performance.now() - started) / 1000,
  cpuSeconds: (user + system) / 1e6,
  peakRss: process.resourceUsage().maxRSS * 1024,
  ...(outcome?.bytesOut === undefined ? {} : { bytesOut: outcome.bytesOut * runs }),
  ...(outcome?.files === undefined ? {} : { files: outcome.files * runs }),
  ...(outcome?.requests === undefined ? {} : { requests: outcome.requests * runs }),
  ...(outcome?.more ? { more: outcome.more } : {}),
};
await stage.close?.();
console.log(JSON.stringify(sample));
// Native threads and pools of a stage may hold the process; its work is done.
process.exit(0);
