/** Writes the generated tables into README.md: `node scripts/readme.ts`. A test fails when they drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { columnTable } from '../src/archive/index.ts';
import { configTable } from '../src/config-table.ts';

const file = new URL('../README.md', import.meta.url);
let text = readFileSync(file, 'utf8');
for (const [name, table] of [
  ['columns', columnTable()],
  ['configuration', configTable()],
] as const) {
  text = text.replace(
    new RegExp(`(<!-- ${name} -->\\n)[^]*?(\\n?<!-- /${name} -->)`),
    (_match, open: string) => `${open}${table}\n<!-- /${name} -->`,
  );
}
writeFileSync(file, text);
