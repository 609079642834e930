import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fitCascade } from '../../src/cascade/fit.ts';
import { fitText } from '../../src/cascade/report.ts';
import { createCascade } from '../../src/classify/cascade.ts';
import { resolveModel } from '../../src/classify/config.ts';
import { modelConfig } from '../../src/classify/model-config.ts';
import { openModel } from '../../src/classify/open-model.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-cascade-'));
const HARMLESS = [
  'see you at the station',
  'the patch is in the third branch',
  'lovely weather today',
  'ok thanks',
];
const TOXIC = [
  'you are a worthless idiot',
  'shut up you stupid pig',
  'you dumb bastard',
  'what a pathetic moron',
];
const rows = Array.from({ length: 120 }, (_, i) => {
  const isToxic = i % 3 === 0;
  return { text: `${(isToxic ? TOXIC : HARMLESS)[i % 4]} number${i}`, toxic: Number(isToxic) };
});
const labelled = join(directory, 'labelled.jsonl');
writeFileSync(labelled, rows.map((row) => JSON.stringify(row)).join('\n'));
const plain = join(directory, 'plain.jsonl');
writeFileSync(plain, rows.map(({ text }) => JSON.stringify({ text })).join('\n'));

const fit = (options: object = {}) =>
  fitCascade({ first: 'first-stage', second: 'default', paths: [labelled], maxLoss: 0.01, ...options });

describe('fitCascade', () => {
  it('finds a band within the loss, and the cascade decides as it says', async () => {
    const report = await fit();
    expect(report.texts).toBe(120);
    for (const { worst } of report.fitted) expect(worst).toBeLessThanOrEqual(0.01);
    expect(report.heldOut.labels.map(({ label }) => label)).toEqual(['toxic']);
    const open = (name: string) => openModel(modelConfig.parse({ model: resolveModel(name, process.cwd()) }));
    const cascade = createCascade(await open('first-stage'), await open('default'), report.band);
    const { counts } = await cascade.score(rows.map(({ text }) => text));
    const decided = [...report.fitted, report.heldOut];
    const least = Math.min(...decided.map(({ share }) => share));
    const most = Math.max(...decided.map(({ share }) => share));
    expect(counts['first_stage']! / 120).toBeGreaterThanOrEqual(least - 1e-6);
    expect(counts['first_stage']! / 120).toBeLessThanOrEqual(most + 1e-6);
    await cascade.close();
  });

  it('prints configuration that a cascade takes', async () => {
    const text = fitText(await fit());
    expect(text).toMatch(/^cascade:\n  first: first-stage\n  band:\n    toxic: \[[\d.e-]+, [\d.e-]+\]\n/);
    expect(text).toContain('# largest loss, allowed 1.00 %:');
    expect(text.split('\n').every((line) => /^(cascade:| {2}\S| {4}\S|#|$)/.test(line))).toBe(true);
  });

  it('measures agreement where nothing is labelled', async () => {
    const report = await fit({ paths: [plain], unlabelled: true, maxLoss: 0 });
    expect(report.fitted.map(({ flips }) => flips)).toEqual([0, 0]);
    expect(report.heldOut.labels).toEqual([]);
    await expect(fit({ paths: [plain] })).rejects.toThrow('expected a column for a label');
  });
});
