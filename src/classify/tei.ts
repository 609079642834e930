import { basename } from 'node:path';
import { z } from 'zod';
import { MisconfiguredError, UnavailableError } from '../errors.ts';
import { firstProblem } from './manifest.ts';
import { labelsOf } from './model-folder.ts';
import type { RemoteModel, RemoteScores } from './remote-model.ts';
import type { TeiConfig } from './remote-config.ts';
import { createRemoteServer, RefusedError, type RemoteAnswer, type RemoteServer } from './remote-http.ts';

const classifierSchema = z.looseObject({ id2label: z.record(z.string(), z.string().min(1)) });

const infoSchema = z.looseObject({
  model_id: z.string(),
  model_sha: z.string().nullish(),
  // A classifier with a single label is a re-ranker here; it is asked in the same way.
  model_type: z.looseObject({
    classifier: classifierSchema.optional(),
    reranker: classifierSchema.optional(),
  }),
  max_client_batch_size: z.int().min(1),
  // Each text of a request takes one of these.
  max_concurrent_requests: z.int().min(1).optional(),
});

type Info = z.infer<typeof infoSchema>;

const predictionSchema = z.array(z.array(z.looseObject({ label: z.string(), score: z.number().nullable() })));

/** English and its like; texts of about the same length are all that it is for. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * A sequence classifier behind Hugging Face's Text Embeddings Inference over HTTP: labels and limits from `GET /info`, scores
 * from `POST /predict`, as logits (`raw_scores`), because it knows softmax alone. Texts that are too long are cut off by the server.
 * Throws MisconfiguredError, or UnavailableError when nobody answers within `patience` milliseconds.
 * https://huggingface.github.io/text-embeddings-inference
 */
export async function openTei(
  config: TeiConfig,
  options: { readonly patience: number },
): Promise<RemoteModel> {
  const server = createRemoteServer(config);
  try {
    const info = await readInfo(server, AbortSignal.timeout(options.patience));
    const id = idOf(info, config);
    const labels = labelsIn(info, server);
    const columns = new Map(labels.map((label, column) => [label, column]));
    const where = `${server.url}/predict`;
    return {
      id,
      where,
      labels,
      activation: config.activation ?? (labels.length === 1 ? 'sigmoid' : 'softmax'),
      thresholds: {},
      languageThresholds: {},
      languages: undefined,
      mostTexts: Math.min(
        config.batch_texts,
        info.max_client_batch_size,
        info.max_concurrent_requests ?? Infinity,
      ),
      prepare: (texts) =>
        Promise.resolve({
          lengths: texts.map((text) => Math.ceil(text.length / CHARACTERS_PER_TOKEN)),
          async ask({ rows }, signal) {
            // A list of lists, because a list of two texts would be one pair. JSON can say a lone surrogate, UTF-8 cannot.
            const inputs = Array.from(rows, (row) => [texts[row]!.toWellFormed()]);
            const content = JSON.stringify({ inputs, truncate: true, raw_scores: true });
            const answer = await server.ask('/predict', signal, { content });
            return scoresOf(answer, { columns, rows: rows.length, where });
          },
        }),
      async verify(signal) {
        const now = await readInfo(server, signal).catch((error: unknown) => {
          if (error instanceof RefusedError) throw new UnavailableError(error.message, { cause: error });
          throw error;
        });
        if (idOf(now, config) === id && labelsIn(now, server).join('\0') === labels.join('\0')) return;
        throw new MisconfiguredError(
          `${server.url}: expected ${id} as before, the server has ${idOf(now, config)} by now: restart`,
        );
      },
      close: () => server.close(),
    };
  } catch (error) {
    await server.close();
    if (!(error instanceof RefusedError)) throw error;
    throw new MisconfiguredError(`expected a Text Embeddings Inference server, got ${error.message}`);
  }
}

async function readInfo(server: RemoteServer, signal: AbortSignal): Promise<Info> {
  const { body } = await server.ask('/info', signal);
  const result = infoSchema.safeParse(parsed(body), { reportInput: true });
  if (result.success) return result.data;
  throw new MisconfiguredError(
    `${server.url}/info: expected a Text Embeddings Inference server with a classifier: ${firstProblem(result.error)}`,
  );
}

function labelsIn({ model_id: model, model_type: type }: Info, { url }: RemoteServer): readonly string[] {
  const classifier = type.classifier ?? type.reranker;
  if (classifier) return labelsOf(classifier, `${url}/info`);
  throw new MisconfiguredError(
    `${url}/info: expected a model that classifies sequences, got ${model} (${Object.keys(type).join(', ')})`,
  );
}

/** A local folder has no commit; only the configuration can tell its version. */
function idOf(info: Info, { version }: TeiConfig): string {
  const name = basename(info.model_id).replaceAll('@', '-') || 'tei';
  return `${name}@${version ?? info.model_sha?.slice(0, 8) ?? 'unknown'}`;
}

function scoresOf(
  { headers, body }: RemoteAnswer,
  expected: {
    readonly columns: ReadonlyMap<string, number>;
    readonly rows: number;
    readonly where: string;
  },
): RemoteScores {
  const { columns, rows, where } = expected;
  const result = predictionSchema.safeParse(parsed(body), { reportInput: true });
  if (!result.success) throw new MisconfiguredError(`${where}: ${firstProblem(result.error)}`);
  if (result.data.length !== rows)
    throw new MisconfiguredError(`${where}: expected ${rows} predictions, got ${result.data.length}`);
  const values = new Float32Array(rows * columns.size).fill(NaN);
  result.data.forEach((predictions, row) => {
    // The best one comes first, so places say nothing.
    for (const { label, score } of predictions) {
      const column = columns.get(label);
      if (column === undefined)
        throw new MisconfiguredError(
          `${where}: expected labels ${[...columns.keys()].join(', ')}, got ${label}: has the server another model by now?`,
        );
      values[row * columns.size + column] = score ?? NaN;
    }
  });
  const tokens = Number(headers['x-compute-tokens'] ?? 0);
  return { values, tokens: Number.isFinite(tokens) ? tokens : 0, padding: 0 };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return body.toString('utf8', 0, 100);
  }
}
