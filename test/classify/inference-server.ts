/**
 * HTTP servers that speak the protocols of Triton (Open Inference Protocol, with the binary tensor data, classification and model
 * configuration extensions) and of Text Embeddings Inference as their specifications say, with an ONNX model of this checkout behind:
 * what they answer is computed. Tests also make them overloaded, slow, absent, or another model.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as ort from 'onnxruntime-node';
import { limiter } from '../../src/concurrency.ts';
import { sigmoid } from '../../src/classify/activation.ts';
import { createSession, type Session } from '../../src/classify/session.ts';
import { readModelFolder, type ModelFolder } from '../../src/classify/model-folder.ts';
import { createTokenInputs } from '../../src/classify/token-inputs.ts';
import { loadTokenizer } from '../../src/classify/tokenizer.ts';

/** What a test may change while it runs. */
export interface ServerState {
  /** Answers this status to so many requests for scores before it works again, from now or when it has answered `after` more. */
  refuse: { status: number; times: number; after?: number; headers?: Record<string, string> };
  /** Never answers requests for scores. */
  isSilent: boolean;
  /** Milliseconds before each answer to a request for scores. */
  delay: number;
  /** Version or commit that it says its model has. */
  version: string;
  /** Extensions that the server says it has (Triton). */
  extensions: string[];
  /** Requests for scores by the number of their texts. */
  readonly sizes: number[];
  /** Headers of the last request. */
  headers: IncomingMessage['headers'];
}

/** A server that listens; `close` ends it and its connections, `listen` brings it back at the same port. */
export interface InferenceServer {
  readonly url: string;
  readonly state: ServerState;
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** Logits of texts, by the real model. Rejects when the runtime fails. */
type Logits = (texts: readonly string[]) => Promise<Float32Array>;

interface Served {
  readonly folder: ModelFolder;
  readonly run: Session['run'];
  readonly logits: Logits;
}

async function serve(path: string): Promise<Served> {
  const folder = { ...readModelFolder({ path }), activation: 'none' as const };
  const session = await createSession(folder, { providers: 'cpu', device: 0 });
  const tokenizer = await loadTokenizer(folder.tokenizer, { maxTokens: folder.maxTokens });
  const fill = createTokenInputs(session, folder);
  // Inputs and outputs are memory of the session, so runs take turns.
  const inTurn = limiter(1);
  const run: Session['run'] = (feeds, rows) =>
    inTurn(async () => Float32Array.from(await session.run(feeds, rows)));
  const logits: Logits = async (texts) => {
    const tokens = await tokenizer.encode(texts);
    const longest = Math.max(...tokens.lengths);
    const rows = Int32Array.from(texts.keys());
    return await inTurn(async () =>
      Float32Array.from(await session.run(fill(tokens, { rows, longest }), texts.length)),
    );
  };
  return { folder, run, logits };
}

function refusesNow(refuse: ServerState['refuse']): boolean {
  if (refuse.after) {
    refuse.after--;
    return false;
  }
  if (refuse.times === 0) return false;
  refuse.times--;
  return true;
}

type Handle = (request: IncomingMessage, body: Buffer) => Promise<Answer>;
interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: Record<string, string>;
}

const json = (value: unknown, status = 200): Answer => ({ status, body: JSON.stringify(value) });

async function start(handle: (state: ServerState) => Handle): Promise<InferenceServer> {
  const state: ServerState = {
    refuse: { status: 503, times: 0 },
    isSilent: false,
    delay: 0,
    version: '1',
    extensions: ['binary_tensor_data', 'classification', 'model_configuration'],
    sizes: [],
    headers: {},
  };
  const answer = handle(state);
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    state.headers = request.headers;
    if (request.method === 'POST' && state.isSilent) return;
    if (request.method === 'POST') await sleep(state.delay);
    const refuses = request.method === 'POST' && refusesNow(state.refuse);
    const { status, body, headers } = refuses
      ? { ...json({ error: 'refused' }, state.refuse.status), headers: state.refuse.headers }
      : await answer(request, Buffer.concat(chunks));
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };
  let server: Server | undefined;
  let port = 0;
  const listen = async () => {
    server = createServer((request, response) => {
      listener(request, response).catch((error: unknown) => {
        response.writeHead(500).end(JSON.stringify({ error: String(error) }));
      });
    });
    await new Promise<void>((resolve) => server!.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  await listen();
  return {
    url: `http://127.0.0.1:${port}`,
    state,
    listen,
    async close() {
      server!.closeAllConnections();
      await new Promise((resolve) => server!.close(resolve));
    },
  };
}

/** A Triton-like server with two models of one folder: `text` takes texts and gives probabilities, `tokens` takes ids and gives logits. */
export async function startTriton(path: string): Promise<InferenceServer> {
  const { folder, run, logits } = await serve(path);
  const width = folder.labels.length;
  const models = {
    text: { inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1, 1] }], output: 'scores' },
    tokens: {
      inputs: ['input_ids', 'attention_mask'].map((name) => ({ name, datatype: 'INT64', shape: [-1, -1] })),
      output: 'logits',
    },
  };
  const mostTexts = 8;

  const infer = async (model: keyof typeof models, body: Buffer, headers: IncomingMessage['headers']) => {
    const length = Number(headers['inference-header-content-length'] ?? body.length);
    const request = JSON.parse(body.toString('utf8', 0, length)) as {
      inputs: {
        name: string;
        datatype: string;
        shape: number[];
        data?: (string | number)[];
        parameters?: { binary_data_size: number };
      }[];
      outputs: { name: string; parameters?: { binary_data?: boolean; classification?: number } }[];
    };
    let offset = length;
    const inputs = new Map(
      request.inputs.map((input) => {
        const size = input.parameters?.binary_data_size ?? 0;
        const bytes = body.subarray(offset, (offset += size));
        return [input.name, { ...input, bytes }] as const;
      }),
    );
    const rows = request.inputs[0]!.shape[0]!;
    if (rows > mostTexts) return { error: `batch-size must be <= ${mostTexts}`, rows };
    const values =
      model === 'text'
        ? await logits(textsOf(inputs.get('text')!)).then((found) => {
            sigmoid(found);
            return found;
          })
        : await run(
            Object.fromEntries(
              [...inputs].map(([name, { shape, data, bytes }]) => [
                name,
                new ort.Tensor('int64', data ? BigInt64Array.from(data.map(BigInt)) : int64s(bytes), shape),
              ]),
            ),
            rows,
          );
    return { values: Float32Array.from(values), rows, asked: request.outputs[0]! };
  };

  return await start((state) => async (request, body) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (pathname === '/v2') return json({ name: 'triton', version: '0', extensions: state.extensions });
    const [, name, version, rest = ''] =
      /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/\w+)?$/.exec(pathname) ?? [];
    const model = models[name as keyof typeof models];
    if (!model || (version !== undefined && version !== state.version))
      return json({ error: `Request for unknown model: '${name}' is not found` }, 404);
    const outputs = [{ name: model.output, datatype: 'FP32', shape: [-1, width] }];
    if (rest === '/config') return json({ name, max_batch_size: mostTexts });
    if (rest !== '/infer') return json({ name, versions: [state.version], inputs: model.inputs, outputs });
    const found = await infer(name as keyof typeof models, body, request.headers);
    state.sizes.push(found.rows);
    if (!found.values) return json({ error: found.error }, 400);
    const { values, rows, asked } = found;
    const head = { name: model.output, datatype: 'FP32', shape: [rows, width] };
    const about = { model_name: name, model_version: state.version };
    if (asked.parameters?.classification) {
      const classes = [...values.keys()].map((i) => `${values[i]}:${i % width}:${folder.labels[i % width]}`);
      return json({ ...about, outputs: [{ ...head, datatype: 'BYTES', data: classes }] });
    }
    if (!asked.parameters?.binary_data) return json({ ...about, outputs: [{ ...head, data: [...values] }] });
    const bytes = Buffer.from(values.buffer);
    const described = JSON.stringify({
      ...about,
      outputs: [{ ...head, parameters: { binary_data_size: bytes.length } }],
    });
    return {
      status: 200,
      body: Buffer.concat([Buffer.from(described), bytes]),
      headers: { 'inference-header-content-length': String(Buffer.byteLength(described)) },
    };
  });
}

function textsOf({ data, bytes }: { data?: (string | number)[]; bytes: Buffer }): string[] {
  if (data) return data.map(String);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    texts.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}

function int64s(bytes: Buffer): BigInt64Array {
  return BigInt64Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readBigInt64LE(i * 8));
}

/** A server like Text Embeddings Inference with a classifier. */
export async function startTei(path: string): Promise<InferenceServer> {
  const { folder, logits } = await serve(path);
  const mostTexts = 8;
  const failure = (status: number, type: string, error: string) => json({ error, error_type: type }, status);
  return await start((state) => async (request, body) => {
    const id2label = Object.fromEntries(folder.labels.map((label, i) => [String(i), label]));
    if (request.url === '/info')
      return json({
        model_id: 'org/tiny',
        model_sha: state.version === '1' ? null : state.version,
        model_type: { classifier: { id2label, label2id: {} } },
        max_client_batch_size: mostTexts,
        max_concurrent_requests: 512,
      });
    if (request.url !== '/predict') return failure(404, 'Unknown', 'not found');
    const { inputs, raw_scores: raw } = JSON.parse(body.toString('utf8')) as {
      inputs: string[][];
      raw_scores: boolean;
    };
    state.sizes.push(inputs.length);
    const texts = inputs.flat();
    if (inputs.length > mostTexts) return failure(422, 'Validation', `batch size ${inputs.length}`);
    if (!texts.every((text) => text.isWellFormed())) return failure(422, 'Tokenizer', 'lone surrogate');
    let found: Float32Array;
    try {
      found = await logits(texts);
    } catch (error) {
      return failure(424, 'Backend', String(error).split('\n')[0]!);
    }
    if (!raw) return failure(500, 'Backend', 'expected raw_scores');
    const width = folder.labels.length;
    const predictions = texts.map((_, row) =>
      folder.labels
        .map((label, i) => ({ label, score: found[row * width + i]! }))
        .sort((a, b) => b.score - a.score),
    );
    return json(predictions);
  });
}
