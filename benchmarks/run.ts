/** `npm run bench -- [pipeline|decode|classify|archive|s3|latency|all] …`: runs benchmarks and prints their figures. */
import { cpus } from 'node:os';
import type { Figure } from './pipeline.ts';

const BENCHMARKS: Record<string, () => Promise<{ run: () => Promise<readonly Figure[]> }>> = {
  pipeline: () => import('./pipeline.ts'),
  decode: () => import('./decode.ts'),
  classify: () => import('./classify.ts'),
  archive: () => import('./archive.ts'),
  s3: () => import('./s3.ts'),
  latency: () => import('./latency.ts'),
};

const wanted = process.argv.slice(2);
const names = wanted.length === 0 ? ['pipeline'] : wanted.includes('all') ? Object.keys(BENCHMARKS) : wanted;
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(
    `unknown benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHMARKS).join(', ')}, all`,
  );
  process.exit(1);
}
console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}`);
for (const name of names) {
  console.log(`\n${name}`);
  const { run } = await BENCHMARKS[name]!();
  for (const { name: figure, value, unit } of await run()) {
    const digits = value >= 100 ? 0 : 2;
    const text = value.toLocaleString('en', { maximumFractionDigits: digits });
    console.log(`  ${figure.padEnd(52)} ${text.padStart(12)} ${unit}`);
  }
}
