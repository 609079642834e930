import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';
import type { HuggingFaceConfig } from './manifest.ts';

/** What most published encoders for classification read; longer texts are for those who ask for it. */
const USUAL = 512;
/** What tokenizer_config.json says where nobody set a limit is a number of thirty digits. */
const NO_LIMIT = 1e6;
/** Positions are learnt, one by one: there is nothing beyond the last one. */
const LEARNT = ['bert', 'distilbert', 'electra', 'albert', 'mobilebert', 'convbert', 'nezha', 'ernie'];
/** These count positions from the padding id on, so the first ones are never used. */
const FROM_PADDING = [
  'roberta',
  'roberta-prelayernorm',
  'xlm-roberta',
  'xlm-roberta-xl',
  'camembert',
  'mpnet',
  'data2vec-text',
  'ibert',
  'longformer',
  'xmod',
];

/** Tokens that a model has positions for, special tokens included; undefined when its `config.json` does not say. Pure. */
export function positionsOf(config: HuggingFaceConfig): number | undefined {
  const { max_position_embeddings: positions, model_type: type, pad_token_id: padding } = config;
  if (!positions) return undefined;
  return FROM_PADDING.includes(type ?? '') ? positions - ((padding ?? 1) + 1) : positions;
}

/**
 * Tokens of a text that a model reads, special tokens included: as asked for, else as many as model and tokenizer take, at
 * most 512. Throws MisconfiguredError when more is asked for than the model has positions.
 */
export function tokenLimit(
  path: string,
  config: HuggingFaceConfig,
  asked: { readonly tokens: number; readonly by: string } | undefined,
): number {
  const positions = positionsOf(config);
  if (!asked) return Math.min(positions ?? USUAL, tokenizerLimit(path) ?? USUAL, USUAL);
  const type = config.model_type ?? '';
  if (positions !== undefined && asked.tokens > positions && [...LEARNT, ...FROM_PADDING].includes(type))
    throw new MisconfiguredError(
      `${path}: ${asked.by}: expected at most ${positions}, the positions of this ${type} model, got ${asked.tokens}`,
    );
  return asked.tokens;
}

/** `model_max_length` of tokenizer_config.json, where there is a sensible one. */
function tokenizerLimit(path: string): number | undefined {
  const file = join(path, 'tokenizer_config.json');
  if (!existsSync(file)) return undefined;
  let limit: unknown;
  try {
    limit = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> | null)?.['model_max_length'];
  } catch {
    throw new MisconfiguredError(`${file}: expected JSON, got something else`);
  }
  return typeof limit === 'number' && limit >= 8 && limit < NO_LIMIT ? limit : undefined;
}
