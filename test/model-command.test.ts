import { Command } from 'commander';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readModelFolder } from '../src/classify/index.ts';
import { describeModel } from '../src/model-command.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'sluice-model-command-')), 'film');
  cpSync(join(import.meta.dirname, 'classify/fixtures/bert'), path, { recursive: true });
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

const sluice = async (...args: string[]) => {
  const printed: string[] = [];
  const command = new Command('sluice').exitOverride();
  describeModel(command.command('model'), (text) => printed.push(text));
  await command.parseAsync(['model', ...args], { from: 'user' });
  return printed.join('\n');
};

describe('sluice model manifest', () => {
  it('makes a folder that is checked after loading', async () => {
    const flags = ['--name', 'film', '--model-version', '1.0', '--check', 'good film', '--check', 'bad film'];
    expect(await sluice('manifest', path, ...flags)).toBe(`${path}/sluice.yaml: film@1.0, 3 files`);
    const { checks, id } = readModelFolder({ path });
    expect(id).toBe('film@1.0');
    expect(checks.map(({ text }) => text)).toEqual(['good film', 'bad film']);
    expect(checks[0]!.scores['positive']).toBeCloseTo(0.9526, 4);
    expect(checks[1]!.scores['positive']).toBeCloseTo(0.0474, 4);
  });

  it('keeps the checks of a manifest, and records them anew when asked to', async () => {
    await sluice('manifest', path, '--name', 'film', '--model-version', '1', '--check', 'good film');
    const before = readModelFolder({ path }).checks;
    await sluice('manifest', path, '--model-version', '2');
    expect(readModelFolder({ path }).checks).toEqual(before);
    await sluice('manifest', path, '--check', 'bad film');
    expect(readModelFolder({ path }).checks.map(({ text }) => text)).toEqual(['bad film']);
    expect(readFileSync(join(path, 'sluice.yaml'), 'utf8')).toContain('version: "2"');
  });

  it('refuses a folder without a model', async () => {
    await expect(
      sluice('manifest', join(path, 'nothing'), '--name', 'a', '--model-version', '1'),
    ).rejects.toThrow(/nothing: expected a model folder, got ENOENT/);
  });
});
