import type { Sample } from '../harness/sample.ts';
import { miniLm } from '../models/minilm.ts';

/** One comparison of the classify stage with what bounds it; taken in a process of its own. */
export interface Comparison {
  readonly title: string;
  readonly unit: string;
  /** `texts`: a JSONL file of texts to measure with. */
  measure(texts: string | undefined): Promise<Sample>;
}

const layout =
  (
    model: () => Promise<string>,
    texts: number,
    { file, detects = false }: { file?: string; detects?: boolean } = {},
  ) =>
  async () =>
    (await import('./layout.ts')).measureLayout({ model: await model(), file, detects, texts });

const memory =
  (model: () => Promise<string>, texts: number, file?: string): Comparison['measure'] =>
  async () =>
    (await import('./memory.ts')).measureMemory({ model: await model(), file, texts });

/** All comparisons of the suite `classify`; what each compares is in `more`. */
export const COMPARISONS: Readonly<Record<string, Comparison>> = {
  'whole-default': {
    title: 'whole stage against bare runs, bundled model',
    unit: 'texts',
    measure: layout(() => Promise.resolve('default'), 4096),
  },
  'whole-default-language': {
    title: 'the same, languages detected of messages that name none',
    unit: 'texts',
    measure: layout(() => Promise.resolve('default'), 4096, { detects: true }),
  },
  'whole-minilm-int8': {
    title: 'whole stage against bare runs, size of MiniLM-L6, int8',
    unit: 'texts',
    measure: layout(miniLm, 256),
  },
  'whole-minilm-fp32': {
    title: 'whole stage against bare runs, size of MiniLM-L6, fp32',
    unit: 'texts',
    measure: layout(miniLm, 256, { file: 'onnx/model_fp32.onnx' }),
  },
  padding: {
    title: 'token budget against batches of 32 as they arrive, size of MiniLM-L6',
    unit: 'texts',
    measure: async () => (await import('./padding.ts')).measurePadding(await miniLm()),
  },
  tokenise: {
    title: 'tokenising for the bundled model against the native binding',
    unit: 'texts',
    measure: async (texts) => (await import('./tokenising.ts')).measureTokenising(texts),
  },
  parts: {
    title: 'what a message costs beside the bundled model, by part',
    unit: 'texts',
    measure: async () => (await import('./parts.ts')).measureParts(),
  },
  waiting: {
    title: 'one message a second, bundled model',
    unit: 'messages',
    measure: async () => (await import('./waiting.ts')).measureWaiting(),
  },
  'memory-default': {
    title: 'memory of a further thread, bundled model',
    unit: 'threads',
    measure: memory(() => Promise.resolve('default'), 4096),
  },
  'memory-minilm-int8': {
    title: 'memory of a further thread, size of MiniLM-L6, int8',
    unit: 'threads',
    measure: memory(miniLm, 64),
  },
  'memory-minilm-fp32': {
    title: 'memory of a further thread, size of MiniLM-L6, fp32',
    unit: 'threads',
    measure: memory(miniLm, 64, 'onnx/model_fp32.onnx'),
  },
  cascade: {
    title: 'first stage before the bundled model',
    unit: 'texts',
    measure: async (texts) => (await import('./cascades.ts')).measureCascade('default', texts),
  },
  'cascade-minilm': {
    title: 'first stage before a model of the size of MiniLM-L6',
    unit: 'texts',
    measure: async (texts) => (await import('./cascades.ts')).measureCascade(await miniLm(), texts),
  },
};
