import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { MisconfiguredError, messageOf } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { sha256 } from './checksum.ts';
import {
  firstProblem,
  huggingFaceSchema,
  manifestSchema,
  type HuggingFaceConfig,
  type ModelManifest,
} from './manifest.ts';
import type { ModelConfig } from './model-config.ts';
import { chooseOnnxFile, precisionOf } from './onnx-file.ts';
import type { Thresholds } from './thresholds.ts';
import { tokenLimit } from './token-limit.ts';

/** A model folder whose files are there, agree with each other, and have the checksums that its manifest names. */
export interface ModelFolder {
  readonly path: string;
  /** `name@version`; a file other than the default one is named too: `name@version+model_int8`. */
  readonly id: string;
  /** Labels in the order of the model's outputs. */
  readonly labels: readonly string[];
  /** How the outputs become probabilities: each label for itself, all labels sharing 1, or they are some already. */
  readonly activation: 'sigmoid' | 'softmax' | 'none';
  readonly onnx: string;
  /** Path of tokenizer.json; a model that reads texts itself has none. */
  readonly tokenizer: string;
  /** Tokens of a text that the model reads, special tokens included. */
  readonly maxTokens: number;
  /** Token id that fills short rows; masked, so it never changes a score. */
  readonly padId: number;
  /** Default policy of the model, by label. */
  readonly thresholds: Readonly<Record<string, Thresholds>>;
  /** Where it differs by language: primary subtag → label → thresholds. */
  readonly languageThresholds: Readonly<Record<string, Readonly<Record<string, Thresholds>>>>;
  /** Languages that it can judge, as primary subtags; undefined where its manifest names none. */
  readonly languages: ReadonlySet<string> | undefined;
  /** Texts with the scores that the model must give after loading. */
  readonly checks: ModelManifest['checks'];
  readonly tolerance: number;
}

/**
 * Reads a folder as optimum and the model hubs have it, or one with a model that reads texts itself. Throws MisconfiguredError, one line: file, what
 * was expected, what came.
 */
export function readModelFolder(options: {
  readonly path: string;
  readonly file?: string | undefined;
  readonly precision?: ModelConfig['precision'];
  readonly maxTokens?: number | undefined;
}): ModelFolder {
  const { path } = options;
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw new MisconfiguredError(
      `${path}: expected a model folder, got ${existsSync(path) ? 'a file' : 'nothing'}`,
    );
  }
  const given = existsSync(join(path, 'config.json'));
  const file = chooseOnnxFile(path, options);
  const onnx = join(path, file);
  const manifest = readManifest(path, onnx);
  const config: HuggingFaceConfig =
    given || !manifest.labels
      ? readConfig(join(path, 'config.json'))
      : { id2label: Object.fromEntries(manifest.labels.map((label, index) => [String(index), label])) };
  const labels = labelsIn(path, config, manifest);
  const tokenizer = join(path, 'tokenizer.json');
  checkFiles(path, manifest);
  checkLabels(path, manifest, labels);
  return {
    path,
    id: `${manifest.name}@${manifest.version}${precisionOf(file)}`,
    labels,
    activation: manifest.activation ?? activationOf(config, labels, existsSync(tokenizer)),
    onnx,
    tokenizer,
    maxTokens: tokenLimit(path, config, limitAsked(options.maxTokens, manifest)),
    padId: config.pad_token_id ?? 0,
    thresholds: manifest.thresholds,
    languageThresholds: manifest.language_thresholds,
    languages: manifest.languages.length > 0 ? new Set(manifest.languages) : undefined,
    checks: manifest.checks,
    tolerance: manifest.tolerance,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new MisconfiguredError(`${file}: expected a readable file, got ${messageOf(error)}`);
  }
}

function parsed<T>(
  text: string,
  file: string,
  kind: string,
  schema: z.ZodType<T>,
  read: (text: string) => unknown,
): T {
  let value: unknown;
  try {
    value = read(text);
  } catch (error) {
    throw new MisconfiguredError(`${file}: expected ${kind}, got ${messageOf(error).split('\n')[0]!}`);
  }
  const result = schema.safeParse(value, { reportInput: true });
  if (!result.success) throw new MisconfiguredError(`${file}: ${firstProblem(result.error)}`);
  return result.data;
}

/** Reads a Hugging Face `config.json`. Throws MisconfiguredError. */
export function readConfig(file: string): HuggingFaceConfig {
  return parsed(readText(file), file, 'JSON', huggingFaceSchema, (text) => JSON.parse(text));
}

/** Reads the text of a `sluice.yaml`; `file` is what errors name. Throws MisconfiguredError. */
export function parseManifest(text: string, file: string): ModelManifest {
  return parsed(text, file, 'YAML', manifestSchema, (yaml) => parse(yaml));
}

/** A folder without sluice.yaml works too: it is named after itself, and its version is the model's own checksum. */
export function readManifest(path: string, onnx: string): ModelManifest {
  const file = join(path, 'sluice.yaml');
  if (existsSync(file)) return parseManifest(readText(file), file);
  return manifestSchema.parse({ name: basename(path), version: sha256(onnx).slice(0, 8) });
}

/** Names of the manifest stand for those of config.json, one for one. */
function labelsIn(path: string, config: HuggingFaceConfig, { labels }: ModelManifest): string[] {
  const named = labelsOf(config, join(path, 'config.json'));
  if (!labels || labels.length === named.length) return labels ?? named;
  throw new MisconfiguredError(
    `${join(path, 'sluice.yaml')}: labels: expected ${named.length} as in config.json (${named.join(', ')}), got ${labels.join(', ')}`,
  );
}

/** Transformers leave the last step to their reader; models that read texts themselves give probabilities. */
function activationOf(
  { problem_type: problem }: HuggingFaceConfig,
  labels: readonly string[],
  tokenizer: boolean,
): ModelFolder['activation'] {
  if (!problem && !tokenizer) return 'none';
  return problem === 'multi_label_classification' || labels.length === 1 ? 'sigmoid' : 'softmax';
}

function limitAsked(configured: number | undefined, { max_tokens: own }: ModelManifest) {
  if (configured !== undefined) return { tokens: configured, by: 'max_tokens of the configuration' };
  return own === undefined ? undefined : { tokens: own, by: 'max_tokens of sluice.yaml' };
}

/** Labels of a `config.json`, in the order of the outputs. Throws MisconfiguredError. */
export function labelsOf(config: HuggingFaceConfig, file: string): string[] {
  const ids = Object.keys(config.id2label);
  const labels = ids.map((_, index) => {
    const label = config.id2label[String(index)];
    if (label !== undefined) return label;
    throw new MisconfiguredError(
      `${file}: id2label: expected keys 0 to ${ids.length - 1}, got ${ids.join(', ')}`,
    );
  });
  if (labels.length === 0)
    throw new MisconfiguredError(`${file}: id2label: expected at least one label, got none`);
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined)
    throw new MisconfiguredError(`${file}: id2label: expected distinct labels, got "${twice}" twice`);
  return labels;
}

/** Compares the checksums that a manifest names. Throws MisconfiguredError. */
export function checkFiles(path: string, manifest: ModelManifest): void {
  for (const [name, expected] of Object.entries(manifest.files)) {
    const file = join(path, name);
    if (!existsSync(file))
      throw new MisconfiguredError(`${file}: sluice.yaml names it, expected a file, got nothing`);
    const got = sha256(file);
    if (got !== expected) throw new MisconfiguredError(`${file}: expected sha256 ${expected}, got ${got}`);
  }
}

/** Labels that a manifest names must be the model's. Throws MisconfiguredError. */
export function checkLabels(path: string, manifest: ModelManifest, labels: readonly string[]): void {
  const named = [
    ...Object.keys(manifest.thresholds).map((label) => ({ label, at: 'thresholds' })),
    ...manifest.checks.flatMap((check) =>
      Object.keys(check.scores).map((label) => ({ label, at: 'checks' })),
    ),
  ];
  const unknown = named.find(({ label }) => !labels.includes(label));
  if (!unknown) {
    for (const [label, { review, block }] of Object.entries(manifest.thresholds)) {
      if (review === undefined || block === undefined || review <= block) continue;
      throw new MisconfiguredError(
        `${join(path, 'sluice.yaml')}: thresholds.${label}: expected review at most block, got review ${review} and block ${block}`,
      );
    }
    return;
  }
  throw new MisconfiguredError(
    `${join(path, 'sluice.yaml')}: ${unknown.at}: expected a label of the model (${labels.join(', ')}), got "${unknown.label}"${didYouMean(unknown.label, labels)}`,
  );
}
