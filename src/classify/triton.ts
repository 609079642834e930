import { MisconfiguredError, UnavailableError, messageOf } from '../errors.ts';
import { inferenceOutput, inferenceRequest, type OutputTensor } from './inference-protocol.ts';
import type { RemoteModel } from './remote-model.ts';
import type { TritonConfig } from './remote-config.ts';
import { createRemoteServer, RefusedError, type RemoteServer } from './remote-http.ts';
import { readTritonFolder } from './triton-folder.ts';
import { prepareTriton, type PrepareTriton } from './triton-inputs.ts';
import { findTritonModel, versionsOf, type TritonModel } from './triton-model.ts';

/**
 * A model on a server of the Open Inference Protocol over HTTP: Triton, KServe, OpenVINO Model Server and others. Tensors go as
 * bytes where the server says that it has the binary tensor data extension, else as JSON. Labels come from the configuration, the
 * folder, or the label file that Triton knows the output by. Throws MisconfiguredError, or UnavailableError when nobody answers
 * within `patience` milliseconds.
 */
export async function openTriton(
  config: TritonConfig,
  options: { readonly patience: number },
): Promise<RemoteModel> {
  const folder = config.folder === undefined ? undefined : readTritonFolder(config.folder);
  const server = createRemoteServer(config);
  const signal = AbortSignal.timeout(options.patience);
  try {
    const found = await findTritonModel(server, config, signal);
    const where = `${server.url}${found.path}`;
    const prepare = await prepareTriton(found.inputs, { config, folder, where });
    const labels =
      config.labels ?? folder?.labels ?? (await labelsInFile(server, found, await askedBy(prepare), signal));
    checkWidth(found, labels, where);
    return {
      id: `${config.model}@${found.version ?? 'unknown'}`,
      where,
      labels,
      activation: config.activation ?? folder?.activation ?? 'none',
      thresholds: folder?.thresholds ?? {},
      languageThresholds: folder?.languageThresholds ?? {},
      languages: folder?.languages,
      mostTexts: Math.min(config.batch_texts, found.mostTexts),
      async prepare(texts) {
        const ready = await prepare(texts);
        return {
          lengths: ready.lengths,
          async ask(batch, stop) {
            const body = inferenceRequest(ready.inputs(batch), found.output.name, {
              binary: found.extensions.has('binary_tensor_data'),
            });
            const { values } = await infer(server, found, body, stop);
            if (values.length !== batch.rows.length * labels.length)
              throw new MisconfiguredError(
                `${where}: output ${found.output.name}: expected ${batch.rows.length} × ${labels.length} values (${labels.join(', ')}), got ${values.length}`,
              );
            return { values, ...ready.tokens(batch) };
          },
        };
      },
      verify: (stop) => verifyVersion(server, config, found, stop),
      close: () => server.close(),
    };
  } catch (error) {
    await server.close();
    if (!(error instanceof RefusedError)) throw error;
    throw new MisconfiguredError(
      `expected a server of the Open Inference Protocol with the model ${config.model}, got ${error.message}`,
    );
  }
}

async function infer(
  server: RemoteServer,
  { path, output }: TritonModel,
  body: Parameters<RemoteServer['ask']>[2],
  signal: AbortSignal,
): Promise<OutputTensor> {
  const answer = await server.ask(`${path}/infer`, signal, body);
  try {
    return inferenceOutput(answer, output.name);
  } catch (error) {
    // As JSON a server cannot say NaN: its text is found like one that it refuses.
    throw new RefusedError(`${server.url}${path}/infer: ${messageOf(error)}`, 200);
  }
}

async function askedBy(prepare: PrepareTriton) {
  const texts = await prepare(['warm-up']);
  return texts.inputs({ rows: Int32Array.of(0), longest: texts.lengths[0]! });
}

/**
 * Names of the classes by Triton's classification extension, which knows the file that `label_filename` of the model's
 * configuration names: each value of the answer is `score:index:label`.
 */
async function labelsInFile(
  server: RemoteServer,
  { path, output, extensions }: TritonModel,
  inputs: Awaited<ReturnType<typeof askedBy>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const width = output.shape.at(-1) ?? 0;
  const advice = `${server.url}${path}: expected names for the ${width > 0 ? width : ''} values of output ${output.name}: set labels, or folder`;
  if (!extensions.has('classification') || width < 1) throw new MisconfiguredError(advice);
  const parameters = { classification: width };
  const body = inferenceRequest(inputs, output.name, { binary: false, parameters });
  const answer = await server.ask(`${path}/infer`, signal, body);
  const { outputs } = JSON.parse(answer.body.toString('utf8')) as { outputs: { data: string[] }[] };
  const labels = Array.from<string | undefined>({ length: width });
  for (const value of outputs[0]?.data ?? []) {
    const [, index, label] = /^[^:]*:(\d+):(.+)$/.exec(value) ?? [];
    if (index !== undefined) labels[Number(index)] = label;
  }
  const named = labels.filter((label) => label !== undefined);
  if (named.length !== width) throw new MisconfiguredError(advice);
  return named;
}

function checkWidth({ output }: TritonModel, labels: readonly string[], where: string): void {
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined)
    throw new MisconfiguredError(`${where}: expected distinct labels, got "${twice}" twice`);
  const width = output.shape.at(-1) ?? -1;
  if (width < 0 || width === labels.length) return;
  throw new MisconfiguredError(
    `${where}: output ${output.name}: expected ${labels.length} columns (${labels.join(', ')}), got ${width}`,
  );
}

async function verifyVersion(
  server: RemoteServer,
  config: TritonConfig,
  { version, path }: TritonModel,
  signal: AbortSignal,
): Promise<void> {
  let versions: readonly string[];
  try {
    versions = await versionsOf(server, config, signal);
  } catch (error) {
    // A server that starts, or loads the model anew, does not know it for a moment.
    if (error instanceof RefusedError) throw new UnavailableError(error.message, { cause: error });
    throw error;
  }
  if (version === undefined || versions.length === 0 || versions.includes(version)) return;
  throw new MisconfiguredError(
    `${server.url}${path}: the server has version ${versions.join(', ')} by now: a restart takes the newest`,
  );
}
