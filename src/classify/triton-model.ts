import { z } from 'zod';
import { MisconfiguredError } from '../errors.ts';
import { firstProblem } from './manifest.ts';
import type { TritonConfig } from './remote-config.ts';
import type { RemoteServer } from './remote-http.ts';

const tensorSchema = z.looseObject({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.int()),
});

const metadataSchema = z.looseObject({
  versions: z.array(z.string()).optional(),
  inputs: z.array(tensorSchema),
  outputs: z.array(tensorSchema),
});

const serverSchema = z.looseObject({ extensions: z.array(z.string()).optional() });
const limitsSchema = z.looseObject({ max_batch_size: z.int().min(0).optional() });

/** An input or output: -1 is a dimension of any size. */
export type Tensor = z.infer<typeof tensorSchema>;

/** What a server says of a model. */
export interface TritonModel {
  /** Its version, or undefined for a server without versions. */
  readonly version: string | undefined;
  /** Path of the model, without a slash at the end. */
  readonly path: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** Most texts in one request, where the server has a limit. */
  readonly mostTexts: number;
  readonly extensions: ReadonlySet<string>;
}

/**
 * Asks a server for its extensions and for the model: the version that is configured, else its newest one, which requests then
 * name, so that no two versions are mixed. Throws RefusedError when the server does not have it, MisconfiguredError when it cannot
 * be used, UnavailableError when the server does not answer.
 */
export async function findTritonModel(
  server: RemoteServer,
  config: TritonConfig,
  signal: AbortSignal,
): Promise<TritonModel> {
  const told = await read(server, '/v2', serverSchema, signal);
  const extensions = new Set(told.extensions);
  const named = `/v2/models/${encodeURIComponent(config.model)}`;
  const asked = config.version === undefined ? named : `${named}/versions/${config.version}`;
  const metadata = await read(server, asked, metadataSchema, signal);
  const version = config.version ?? newest(metadata.versions ?? []);
  const path = version === undefined ? named : `${named}/versions/${version}`;
  const { inputs } = metadata;
  const output = outputOf(metadata.outputs, config, `${server.url}${path}`);
  return { version, path, inputs, output, extensions, mostTexts: await limit() };

  async function limit(): Promise<number> {
    const own = inputs[0]?.shape[0];
    // A model that Triton does not batch takes what its shape says.
    const fixed = own !== undefined && own > 0 ? own : Infinity;
    if (!extensions.has('model_configuration')) return fixed;
    const { max_batch_size: most } = await read(server, `${path}/config`, limitsSchema, signal);
    return most !== undefined && most > 0 ? most : fixed;
  }
}

/** The newest of the versions: by number, else the last one. Pure. */
export function newest(versions: readonly string[]): string | undefined {
  return versions.toSorted((a, b) => Number(a) - Number(b) || 0).at(-1);
}

function outputOf(outputs: readonly Tensor[], { output: name }: TritonConfig, where: string): Tensor {
  const found =
    name === undefined
      ? (outputs.find((each) => each.name === 'logits') ?? (outputs.length === 1 ? outputs[0] : undefined))
      : outputs.find((each) => each.name === name);
  if (found) return found;
  throw new MisconfiguredError(
    `${where}: expected an output ${name ?? '"logits", or a single one'}, got ${outputs.map((each) => each.name).join(', ')}: set output`,
  );
}

/** The model's own list of versions, newest last; empty where a server has none. */
export async function versionsOf(
  server: RemoteServer,
  config: TritonConfig,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = `/v2/models/${encodeURIComponent(config.model)}`;
  return (await read(server, path, metadataSchema, signal)).versions ?? [];
}

async function read<T>(
  server: RemoteServer,
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T> {
  const text = (await server.ask(path, signal)).body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new MisconfiguredError(`${server.url}${path}: expected JSON, got ${text.slice(0, 100)}`);
  }
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw new MisconfiguredError(`${server.url}${path}: ${firstProblem(result.error)}`);
}
