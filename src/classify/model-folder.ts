import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { MisconfiguredError, messageOf } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Thresholds } from './config.ts';
import {
  firstProblem,
  huggingFaceSchema,
  manifestSchema,
  type HuggingFaceConfig,
  type ModelManifest,
} from './manifest.ts';

/** No published encoder for classification reads more; it also drops the two extra positions that RoBERTa counts. */
const MOST_TOKENS = 512;

/** A model folder whose files are there, agree with each other, and have the checksums that its manifest names. */
export interface ModelFolder {
  readonly path: string;
  /** `name@version`; a file other than the default one is named too: `name@version+model_int8`. */
  readonly id: string;
  /** Labels in the order of the model's outputs. */
  readonly labels: readonly string[];
  /** How logits become probabilities: each label for itself, or all labels sharing 1. */
  readonly activation: 'sigmoid' | 'softmax';
  /** Paths of the ONNX file and of the tokenizer. */
  readonly onnx: string;
  readonly tokenizer: string;
  /** Tokens of a text that the model reads, special tokens included. */
  readonly maxTokens: number;
  /** Token id that fills short rows; masked, so it never changes a score. */
  readonly padId: number;
  /** Default policy of the model, by label. */
  readonly thresholds: Readonly<Record<string, Thresholds>>;
  /** Texts with the scores that the model must give after loading. */
  readonly checks: ModelManifest['checks'];
  readonly tolerance: number;
}

/** Reads a Hugging Face export folder. Throws MisconfiguredError, one line: file, what was expected, what came. */
export function readModelFolder(options: {
  readonly path: string;
  readonly file?: string | undefined;
  readonly maxTokens?: number | undefined;
}): ModelFolder {
  const { path } = options;
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw new MisconfiguredError(
      `${path}: expected a model folder, got ${existsSync(path) ? 'a file' : 'nothing'}`,
    );
  }
  const config = readConfig(join(path, 'config.json'));
  const labels = labelsOf(config, join(path, 'config.json'));
  const file = options.file ?? ['onnx/model.onnx', 'model.onnx'].find((name) => existsSync(join(path, name)));
  if (file === undefined)
    throw new MisconfiguredError(`${path}: expected onnx/model.onnx or model.onnx, got neither`);
  const onnx = join(path, file);
  const tokenizer = join(path, 'tokenizer.json');
  for (const needed of [onnx, tokenizer]) {
    if (!existsSync(needed)) throw new MisconfiguredError(`${needed}: expected a file, got nothing`);
  }
  const manifest = readManifest(path, onnx);
  checkFiles(path, manifest);
  checkLabels(path, manifest, labels);
  const usual = /^(onnx\/)?model\.onnx$/.test(file);
  return {
    path,
    id: `${manifest.name}@${manifest.version}${usual ? '' : `+${basename(file, '.onnx')}`}`,
    labels,
    activation:
      config.problem_type === 'multi_label_classification' || labels.length === 1 ? 'sigmoid' : 'softmax',
    onnx,
    tokenizer,
    maxTokens:
      options.maxTokens ??
      manifest.max_tokens ??
      Math.min(config.max_position_embeddings ?? MOST_TOKENS, MOST_TOKENS),
    padId: config.pad_token_id ?? 0,
    thresholds: manifest.thresholds,
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

function parsed<T>(file: string, kind: string, schema: z.ZodType<T>, read: (text: string) => unknown): T {
  const text = readText(file);
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

function readConfig(file: string): HuggingFaceConfig {
  return parsed(file, 'JSON', huggingFaceSchema, (text) => JSON.parse(text));
}

/** A folder without sluice.yaml works too: it is named after itself, and its version is the model's own checksum. */
function readManifest(path: string, onnx: string): ModelManifest {
  const file = join(path, 'sluice.yaml');
  if (existsSync(file)) return parsed(file, 'YAML', manifestSchema, (text) => parse(text));
  return manifestSchema.parse({ name: basename(path), version: sha256(onnx).slice(0, 8) });
}

function labelsOf(config: HuggingFaceConfig, file: string): string[] {
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

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function checkFiles(path: string, manifest: ModelManifest): void {
  for (const [name, expected] of Object.entries(manifest.files)) {
    const file = join(path, name);
    if (!existsSync(file))
      throw new MisconfiguredError(`${file}: sluice.yaml names it, expected a file, got nothing`);
    const got = sha256(file);
    if (got !== expected) throw new MisconfiguredError(`${file}: expected sha256 ${expected}, got ${got}`);
  }
}

function checkLabels(path: string, manifest: ModelManifest, labels: readonly string[]): void {
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
