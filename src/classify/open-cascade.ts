import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';
import type { Band } from './band.ts';
import type { CascadeConfig } from './cascade-config.ts';
import { createCascade } from './cascade.ts';
import type { Classifier } from './classifier.ts';
import { readManifest } from './model-folder.ts';

/**
 * Puts a first stage before a model. Closes the model when that cannot be done: MisconfiguredError, one line, for a first
 * stage that does not open, or has no band, or one that does not fit.
 */
export async function openCascade(
  config: CascadeConfig,
  second: Classifier,
  open: (path: string) => Promise<Classifier>,
): Promise<Classifier> {
  let first: Classifier | undefined;
  try {
    const band = config.band ?? bandOf(config.first);
    first = await open(config.first);
    return createCascade(first, second, band);
  } catch (error) {
    await first?.close();
    await second.close();
    throw error;
  }
}

function bandOf(path: string): Band {
  const file = join(path, 'sluice.yaml');
  const band = existsSync(file) ? readManifest(path, file).band : undefined;
  if (band) return band;
  throw new MisconfiguredError(
    `${file}: expected a band, or \`cascade.band\` in the configuration, got neither; \`sluice cascade fit\` finds one`,
  );
}
