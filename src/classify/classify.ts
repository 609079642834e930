import type { DecodedBatch, VerdictBatch } from '../types.ts';
import { createAssignment, type Assignment } from './assign-rows.ts';
import type { ClassifyConfig } from './config.ts';
import { loadHashLists } from './hash-list.ts';
import { loadLanguageDetector } from './language.ts';
import { isThroughout } from './mixed-languages.ts';
import { openModels, type OpenedModel } from './open-models.ts';
import type { ModelThresholds } from './policy-levels.ts';
import { createPolicies, UNSUPPORTED_LANGUAGE, type Decisions } from './policy.ts';
import { joinScores, poisonOf, scoreModels, workOf, type ModelScores } from './score-models.ts';
import { createShadows } from './shadow.ts';
import { thresholdAlternatives } from './threshold-alternatives.ts';

/** A loaded model, for people and for metrics. */
export interface ModelFacts {
  /** Its name in the configuration. */
  readonly name: string;
  /** `name@version` */
  readonly model: string;
  readonly role: 'decide' | 'shadow';
  readonly labels: readonly string[];
  /** BCP 47 tags of the languages that it takes, sorted; null: all. */
  readonly languages: readonly string[] | null;
  /** Part of the rows that it takes, 0 to 1. */
  readonly share: number;
  /** What it recommends, where policies say nothing. */
  readonly thresholds: ModelThresholds;
  /** What computes its scores; see {@link Classifier}. */
  readonly runsOn: string;
}

/** What is known of a classify stage that is ready. */
export interface ClassifyFacts {
  /** Ids of the models that decide, joined by commas; null when nothing scores. */
  readonly model: string | null;
  /** Labels of the models that decide, in the order of the score columns. */
  readonly labels: readonly string[];
  /** Everything that may be a reason of a decision: labels, names of hash lists, `unsupported_language`. */
  readonly reasons: readonly string[];
  readonly models: readonly ModelFacts[];
  /** Id of the default policy, or null when nothing decides. */
  readonly policy: string | null;
}

/** The worker-side stage: decoded messages in, verdicts out, rows in the same order. Batches run one after the other. */
export interface Classify extends ClassifyFacts {
  (batch: DecodedBatch): Promise<VerdictBatch>;
  /** Frees the models. */
  readonly close: () => Promise<void>;
}

/**
 * Loads and checks the configured models, whose paths are local by now, and joins their labels with the policies. Throws
 * MisconfiguredError, one line, when a model, a policy or a hash list cannot work; nothing is classified before that is known.
 */
export async function createClassify(config: ClassifyConfig): Promise<Classify> {
  const opened = await openModels(config);
  try {
    return attach(classifyBy(opened.models, config), () => opened.close());
  } catch (error) {
    await opened.close();
    throw error;
  }
}

type Stage = ClassifyFacts & { readonly run: (batch: DecodedBatch) => Promise<VerdictBatch> };

function attach({ run, ...facts }: Stage, close: () => Promise<void>): Classify {
  return Object.assign((batch: DecodedBatch) => run(batch), facts, { close });
}

function classifyBy(models: readonly OpenedModel[], config: ClassifyConfig): Stage {
  const deciding = models.filter(({ role }) => role === 'decide');
  const labels = [...new Set(deciding.flatMap((model) => model.labels))];
  const hashLists = loadHashLists(config.hash_lists);
  const lists = Object.keys(config.hash_lists);
  if (models.length === 0 && lists.length === 0)
    return { ...NOTHING, run: (batch) => Promise.resolve(unscored(batch)) };

  const alternatives = thresholdAlternatives(
    models.map(({ labels: own, role, classifier }) => ({ labels: own, role, thresholds: classifier })),
  );
  const policies = createPolicies({
    policies: config.policies,
    labels,
    models: alternatives.thresholds,
    lists,
    ...(config.policies_from === undefined ? {} : { prefix: `${config.policies_from}: ` }),
  });
  const shadowsOf = createShadows(models, labels, { config: config.policies, lists });
  const assign = createAssignment(models);
  const languageOf = createLanguages(models.length > 0 && config.language === 'detect');
  const namesOf = createNames(models);

  const run = async (batch: DecodedBatch): Promise<VerdictBatch> => {
    const started = performance.now();
    const { language, guessed, doubt } = languageOf(batch);
    let assignment = assign({ ...batch, language, guessed });
    // Rare, and dear: only what would not be judged is looked at again.
    if (assignment.unsupported && doubt?.(assignment.unsupported))
      assignment = assign({ ...batch, language, guessed });
    const detected = performance.now();
    const listed = hashLists.match(batch.text, batch.customer);
    const without = listed && ((row: number) => listed[row] !== null);
    const scored = await scoreModels(models, batch.text, assignment, without);
    const scoredAt = performance.now();
    const byDeciding = scored.filter(({ model }) => model.role === 'decide');
    const scores = joinScores(byDeciding, batch.rows, labels);
    const { sets, common, unsupported } = assignment;
    const decisions = policies.decide({
      customers: batch.customer,
      languages: language,
      scores,
      models:
        alternatives.thresholds.length === 1
          ? undefined
          : indices(assignment, batch.rows, alternatives.indexOf),
      unsupported,
      listed,
    });
    const shadow = shadowsOf?.(
      { ...decidedOf(batch, decisions), languages: language, scores, assignment, unsupported, listed },
      scored,
    );
    return {
      labels,
      scores,
      ...decisions,
      language,
      model: namesOf(common),
      ...(sets || listed
        ? {
            models: Array.from(language, (_, row) =>
              listed?.[row] ? null : namesOf(sets ? sets[row]! : common),
            ),
          }
        : {}),
      policy: policies.id,
      poison: poisonOf(byDeciding),
      seconds: {
        language: (detected - started) / 1000,
        tokenise: sum(scored, ({ scored: { seconds } }) => seconds.tokenise),
        infer: sum(scored, ({ scored: { seconds } }) => seconds.infer),
        policy: (performance.now() - scoredAt) / 1000,
      },
      tokens: sum(scored, (each) => each.scored.tokens),
      padding: sum(scored, (each) => each.scored.padding),
      work: scored.map((each) => workOf(each, batch.rows, shadow?.disagreements.get(each.model.name))),
      ...(shadow ? { shadow: shadow.verdicts } : {}),
    };
  };
  return {
    run,
    model: deciding.length > 0 ? deciding.map(({ id }) => id).join(',') : null,
    labels,
    reasons: [
      ...labels,
      ...lists,
      ...(models.some((model) => model.languages) ? [UNSUPPORTED_LANGUAGE] : []),
    ],
    models: models.map(factsOf),
    policy: policies.id,
  };
}

const NOTHING: ClassifyFacts = { model: null, labels: [], reasons: [], models: [], policy: null };

function factsOf({ name, id, role, labels, languages, share, classifier }: OpenedModel): ModelFacts {
  const { thresholds, languageThresholds } = classifier;
  return {
    name,
    model: id,
    role,
    labels,
    languages: languages ? [...languages].toSorted() : null,
    share,
    thresholds: { thresholds, languageThresholds },
    runsOn: classifier.runsOn ?? 'cpu',
  };
}

function decidedOf({ rows, customer }: DecodedBatch, { actions }: Decisions) {
  return { rows, customers: customer, actions };
}

function indices({ sets, common }: Assignment, rows: number, indexOf: (set: number) => number): Uint8Array {
  if (!sets) return new Uint8Array(rows).fill(indexOf(common));
  return Uint8Array.from(sets, indexOf);
}

/** Ids of the deciding models of a set, joined by commas; null for none. */
function createNames(models: readonly OpenedModel[]): (set: number) => string | null {
  const known = new Map<number, string | null>();
  return (set) => {
    let names = known.get(set);
    if (names === undefined) {
      const taking = models.filter(({ role }, i) => role === 'decide' && (set & (1 << i)) !== 0);
      names = taking.length > 0 ? taking.map(({ id }) => id).join(',') : null;
      // Shares of many models make many sets.
      if (known.size < 10_000) known.set(set, names);
    }
    return names;
  };
}

/** Languages of a batch; entry i of each array belongs to row i. */
interface Languages {
  /** The message's own, else detected, else null. */
  readonly language: (string | null)[];
  /** 1 where it was detected without certainty; absent: nowhere. */
  readonly guessed?: Uint8Array;
  /** Marks those of the given rows as guessed that are only partly in the language detected; says whether there are any. */
  readonly doubt?: (rows: Uint8Array) => boolean;
}

function createLanguages(isDetecting: boolean): (batch: DecodedBatch) => Languages {
  const detector = isDetecting ? loadLanguageDetector() : undefined;
  return ({ language: named, text }) => {
    if (!detector || !named.includes(null)) return { language: named };
    const guessed = new Uint8Array(named.length);
    const language = named.map((own, row) => {
      if (own !== null) return own;
      const found = detector.detect(text[row]!);
      if (found && !found.isCertain) guessed[row] = 1;
      return found?.language ?? null;
    });
    const doubt = (rows: Uint8Array): boolean => {
      let isAny = false;
      for (const [row, own] of named.entries()) {
        if (own !== null || rows[row] !== 1 || isThroughout(text[row]!, language[row]!, detector)) continue;
        guessed[row] = 1;
        isAny = true;
      }
      return isAny;
    };
    return { language, guessed, doubt };
  };
}

function sum(all: readonly ModelScores[], valueOf: (each: ModelScores) => number): number {
  return all.reduce((total, each) => total + valueOf(each), 0);
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
