import { z } from 'zod';
import { size } from '../units.ts';
import { cascadeConfig } from './cascade-config.ts';
import { PROVIDERS } from './provider.ts';
import { teiConfig, tritonConfig } from './remote-config.ts';

/** One model: where it is, and how it runs. */
export const modelConfig = z.strictObject({
  model: z
    .string()
    .min(1)
    .describe(
      'Model folder (Hugging Face export layout), a folder or `s3://bucket/prefix` whose sub-folders are its versions, `default` for the bundled one, or `drop` to score nothing; docs/models.md',
    )
    .default('default'),
  version: z
    .string({ error: 'expected a version in quotes, such as "1.2.0", or newest' })
    .min(1)
    .describe('Sub-folder of the version to load, or `newest`: the highest complete release')
    .default('newest'),
  precision: z
    .enum(['fp32', 'fp16', 'int8'])
    .describe('Which of the usual ONNX files to load: model.onnx, model_fp16.onnx, model_int8.onnx …')
    .optional(),
  file: z
    .string()
    .min(1)
    .describe(
      'ONNX file below the model folder, such as `onnx/model_int8.onnx`; else onnx/model.onnx or model.onnx',
    )
    .optional(),
  execution_provider: z
    .union([z.enum(PROVIDERS), z.array(z.enum(PROVIDERS)).min(1)])
    .describe(
      'Where the model runs, or a list in order of preference: the first one that works; `sluice doctor`, docs/gpu.md',
    )
    .default('cpu'),
  device: z.int().min(0).describe('Number of the GPU, for providers cuda, tensorrt and dml').default(0),
  batch_tokens: z
    .int()
    .min(1)
    .describe(
      'Most tokens in one run of the model: longest text of the batch times its count; else 1024, on a GPU 16384',
    )
    .optional(),
  sort_window: z
    .int()
    .min(1)
    .describe('Texts that are sorted by length together, to save padding')
    .default(1024),
  max_tokens: z
    .int()
    .min(8)
    .describe("Tokens of a text that the model reads, the rest is cut off; else the model folder's own limit")
    .optional(),
  duplicates: z
    .union([z.literal('off'), size()], { error: 'expected a size such as 4MiB, or off' })
    .describe(
      'Memory of each worker for the scores of the latest texts: one that comes again is not scored again; or `off`',
    )
    .prefault('4MiB'),
  cascade: cascadeConfig
    .describe('A small model before this one, which decides the clear texts alone; docs/cascade.md')
    .optional(),
  triton: tritonConfig
    .describe(
      'A model on a Triton server, or another one of the Open Inference Protocol, instead of a folder',
    )
    .optional(),
  tei: teiConfig
    .describe('A model on a server of Hugging Face Text Embeddings Inference, instead of a folder')
    .optional(),
});

/** One model's configuration after checks. */
export type ModelConfig = z.infer<typeof modelConfig>;

/** Whether a server runs the model. */
export function isRemote(config: ModelConfig): boolean {
  return config.tei !== undefined || config.triton !== undefined;
}
