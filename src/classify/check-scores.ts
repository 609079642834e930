import { MisconfiguredError } from '../errors.ts';
import type { Classifier } from './classifier.ts';
import type { ModelManifest } from './manifest.ts';

/**
 * Scores the texts that a manifest records, and compares. Also the warm-up: the first run allocates the runtime's arena.
 * Throws MisconfiguredError, one line that begins with `file`, when a score is further off than `tolerance`.
 */
export async function checkScores(
  model: {
    readonly file: string;
    readonly labels: readonly string[];
    readonly checks: ModelManifest['checks'];
    readonly tolerance: number;
  },
  score: Classifier['score'],
): Promise<void> {
  const { file, labels, tolerance } = model;
  const checks = model.checks.length > 0 ? model.checks : [{ text: 'warm-up', scores: {} }];
  const { scores, poison } = await score(checks.map((check) => check.text));
  if (poison.length > 0)
    throw new MisconfiguredError(`${file}: expected scores for a plain text, got: ${poison[0]!.detail}`);
  checks.forEach((check, row) => {
    for (const [label, expected] of Object.entries(check.scores)) {
      const got = scores[row * labels.length + labels.indexOf(label)]!;
      if (Math.abs(got - expected) <= tolerance) continue;
      throw new MisconfiguredError(
        `${file}: check ${row + 1} of sluice.yaml: expected ${label} ${expected} ± ${tolerance}, got ${got.toFixed(3)}`,
      );
    }
  });
}
