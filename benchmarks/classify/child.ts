/** `node child.ts NAME [TEXTS]`: one sample of a comparison in this process, as one line of JSON on standard output. */
import { COMPARISONS } from './index.ts';

const [name = '', texts] = process.argv.slice(2);
const comparison = COMPARISONS[name];
if (!comparison) throw new Error(`expected the name of a comparison, got ${JSON.stringify(name)}`);
const sample = await comparison.measure(texts);
console.log(JSON.stringify({ ...sample, peakRss: process.resourceUsage().maxRSS * 1024 }));
// Native threads may hold the process; its work is done.
process.exit(0);
