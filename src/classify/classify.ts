import type { DecodedBatch, VerdictBatch } from '../types.ts';
import type { Classifier } from './classifier.ts';
import { resolveModel, type ClassifyConfig } from './config.ts';
import { createDropClassifier } from './drop.ts';
import { loadLanguageDetector, type LanguageDetector } from './language.ts';
import { createModelClassifier } from './model-classifier.ts';
import { readModelFolder } from './model-folder.ts';
import { createPolicies, type Policies } from './policy.ts';

/** The worker-side stage: decoded messages in, verdicts out, rows in the same order. Batches run one after the other. */
export interface Classify {
  (batch: DecodedBatch): Promise<VerdictBatch>;
  /** `name@version` of the loaded model, or null when nothing scores. */
  readonly model: string | null;
  /** Labels of the model, in the order of the score columns. */
  readonly labels: readonly string[];
  /** Id of the default policy, or null when nothing scores. */
  readonly policy: string | null;
  /** Frees the model. */
  readonly close: () => Promise<void>;
}

/**
 * Loads and checks the configured model, and joins its labels with the policies. Throws MisconfiguredError, one line,
 * when the model or a policy cannot work; nothing is classified before that is known.
 */
export async function createClassify(config: ClassifyConfig): Promise<Classify> {
  const path = resolveModel(config.model, process.cwd());
  if (path === 'drop') {
    const classifier = createDropClassifier();
    const pass = (batch: DecodedBatch) => Promise.resolve(unscored(batch));
    return attach(pass, classifier, null);
  }
  const folder = readModelFolder({ path, file: config.file, maxTokens: config.max_tokens });
  // Before the model is loaded: a wrong label is found in milliseconds.
  const policies = createPolicies({
    policies: config.policies,
    labels: folder.labels,
    thresholds: folder.thresholds,
  });
  const classifier = await createModelClassifier(folder, config);
  let detector: Promise<LanguageDetector> | undefined;

  const classify = async (batch: DecodedBatch): Promise<VerdictBatch> => {
    const started = performance.now();
    let language = batch.language;
    if (config.language === 'detect' && language.includes(null)) {
      const { detect } = await (detector ??= loadLanguageDetector());
      language = language.map((named, row) => named ?? detect(batch.text[row]!));
    }
    const detected = performance.now();
    const { scores, poison, tokens, padding, seconds } = await classifier.score(batch.text);
    const scored = performance.now();
    const decisions = policies.decide(batch.customer, scores);
    return {
      labels: classifier.labels,
      scores,
      ...decisions,
      language,
      model: classifier.model,
      policy: policies.id,
      poison: [...poison],
      seconds: {
        language: (detected - started) / 1000,
        ...seconds,
        policy: (performance.now() - scored) / 1000,
      },
      tokens,
      padding,
    };
  };
  return attach(classify, classifier, policies);
}

function attach(
  classify: (batch: DecodedBatch) => Promise<VerdictBatch>,
  { model, labels, close }: Classifier,
  policies: Policies | null,
): Classify {
  return Object.assign(classify, { model, labels, policy: policies?.id ?? null, close });
}

/** Without a model every row is allowed, unscored; the language is what the message says. */
function unscored(batch: DecodedBatch): VerdictBatch {
  return {
    labels: [],
    scores: new Float32Array(0),
    actions: new Uint8Array(batch.rows),
    reasons: Array.from<null>({ length: batch.rows }).fill(null),
    thresholds: Array.from<null>({ length: batch.rows }).fill(null),
    language: batch.language,
    model: null,
    policy: null,
    poison: [],
    seconds: { language: 0, tokenise: 0, infer: 0, policy: 0 },
    tokens: 0,
    padding: 0,
  };
}
