import { resolve } from 'node:path';
import type { Command } from 'commander';
import { modelConfig, openModel, writeManifest } from './classify/index.ts';
import { MisconfiguredError } from './errors.ts';

interface ManifestFlags {
  readonly name?: string;
  readonly modelVersion?: string;
  readonly check?: readonly string[];
}

/** Gives `sluice model` its subcommands; `print` writes a result. */
export function describeModel(command: Command, print: (text: string) => void): Command {
  command.description('look after model folders; see docs/models.md');
  command
    .command('manifest')
    .description('write sluice.yaml of a model folder: checksums of all its files; upload it last')
    .argument('<folder>', 'model folder')
    .option('--name <name>', 'name of the model, where the manifest has none or another')
    .option('--model-version <version>', 'its version likewise')
    .option('--check <text...>', 'texts whose scores are recorded: every process compares them after loading')
    .action(async (folder: string, flags: ManifestFlags) => print(await manifest(folder, flags)));
  return command;
}

async function manifest(
  folder: string,
  { name, modelVersion: version, check }: ManifestFlags,
): Promise<string> {
  const path = resolve(folder);
  let written = await writeManifest(path, { name, version, ...(check ? { checks: [] } : {}) });
  // After the checksums, which opening compares.
  if (check) written = await writeManifest(path, { checks: await scoresOf(path, check) });
  return `${path}/sluice.yaml: ${written.name}@${written.version}, ${Object.keys(written.files).length} files`;
}

/** Rounded to 4 decimals. */
async function scoresOf(path: string, texts: readonly string[]) {
  const classifier = await openModel(modelConfig.parse({ model: path }));
  try {
    const { scores, poison } = await classifier.score(texts);
    if (poison[0])
      throw new MisconfiguredError(
        `${path}: --check ${poison[0].row + 1}: expected a text that the model scores, got: ${poison[0].detail}`,
      );
    return texts.map((text, row) => ({
      text,
      scores: Object.fromEntries(
        classifier.labels.map((label, column) => {
          const score = scores[row * classifier.labels.length + column]!;
          return [label, Math.round(score * 1e4) / 1e4];
        }),
      ),
    }));
  } finally {
    await classifier.close();
  }
}
