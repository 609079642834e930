import { readFileSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { SERVICE_NAMES } from '../../scripts/services/index.ts';

const TESTS = resolve(import.meta.dirname, '..');

/**
 * The services that test files need: those whose environment variables (`SLUICE_<NAME>`, as in `process.env.SLUICE_REDIS`)
 * stand in them or in what they import below test/. Those that import scratch.ts bring up their own.
 */
export function servicesNeededBy(files: readonly string[]): string[] {
  const seen = new Set<string>();
  const needed = new Set<string>();
  const waiting = files
    .map((file) => resolve(file))
    .filter((file) => !file.startsWith(import.meta.dirname + sep));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    if (text.includes("from './scratch.ts'")) continue;
    for (const [, name] of text.matchAll(/\bSLUICE_([A-Z0-9]+)/g)) needed.add(name!.toLowerCase());
    for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+\.ts)'/g)) {
      const imported = resolve(dirname(file), target!);
      if (imported.startsWith(TESTS + sep)) waiting.push(imported);
    }
  }
  return SERVICE_NAMES.filter((name) => needed.has(name));
}
