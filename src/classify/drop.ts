import type { Classifier } from './classifier.ts';

const NOTHING = {
  scores: new Float32Array(0),
  poison: [],
  tokens: 0,
  padding: 0,
  counts: {},
  seconds: { tokenise: 0, infer: 0 },
};

/** A classifier that scores nothing: no labels, no model. For archiving alone, and to measure all but the model. */
export function createDropClassifier(): Classifier {
  return {
    labels: [],
    model: null,
    thresholds: {},
    languageThresholds: {},
    languages: undefined,
    score: () => Promise.resolve(NOTHING),
    close: () => Promise.resolve(),
  };
}
