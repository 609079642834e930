/** Writes the generated parts of README.md and docs/: `node scripts/readme.ts`. A test fails when they drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { columnTable, TABLES } from '../src/archive/index.ts';
import { configTables } from '../src/config-table.ts';
import { decisionTable } from '../src/decision-table.ts';
import { decisionJsonSchema } from '../src/decision.ts';

const at = (path: string) => new URL(`../${path}`, import.meta.url);

for (const [path, name, table] of [
  ['README.md', 'columns', columnTable(TABLES.content)],
  ['README.md', 'feedback-columns', columnTable(TABLES.feedback)],
  ['docs/configuration.md', 'configuration', configTables()],
  ['docs/decisions-topic.md', 'decision', decisionTable()],
] as const) {
  const text = readFileSync(at(path), 'utf8').replace(
    new RegExp(`(<!-- ${name} -->\\n)[^]*?(\\n?<!-- /${name} -->)`),
    (_match, open: string) => `${open}${table}\n<!-- /${name} -->`,
  );
  writeFileSync(at(path), text);
}
writeFileSync(at('docs/decision.schema.json'), `${JSON.stringify(decisionJsonSchema(), null, 2)}\n`);
