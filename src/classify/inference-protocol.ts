/**
 * Bodies of the Open Inference Protocol ("KServe v2"), as JSON and with its binary tensor data extension.
 * https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol
 */
import { z } from 'zod';
import type { RemoteAnswer, RemoteBody } from './remote-http.ts';

/** An input of a request. */
export interface InputTensor {
  readonly name: string;
  readonly datatype: 'BYTES' | 'INT64' | 'INT32';
  readonly shape: readonly number[];
  /** Row-major: texts for BYTES, whole numbers for the others. */
  readonly data: readonly string[] | Int32Array;
}

/** Where the JSON part of a body with binary tensors ends. */
const JSON_LENGTH = 'inference-header-content-length';

/** An inference request for one output, with `parameters` for it. Texts are sent as UTF-8, lone surrogates as U+FFFD. */
export function inferenceRequest(
  inputs: readonly InputTensor[],
  output: string,
  options: { readonly binary: boolean; readonly parameters?: Readonly<Record<string, number>> },
): RemoteBody {
  const { binary, parameters = {} } = options;
  if (!binary) {
    const described = inputs.map((input) => ({ ...input, data: jsonData(input.data) }));
    return { content: JSON.stringify({ inputs: described, outputs: [{ name: output, parameters }] }) };
  }
  const tensors = inputs.map(bytesOf);
  const described = inputs.map(({ name, datatype, shape }, i) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: tensors[i]!.length },
  }));
  const json = Buffer.from(
    JSON.stringify({
      inputs: described,
      outputs: [{ name: output, parameters: { ...parameters, binary_data: true } }],
    }),
  );
  return {
    content: Buffer.concat([json, ...tensors]),
    headers: { 'content-type': 'application/octet-stream', [JSON_LENGTH]: String(json.length) },
  };
}

function jsonData(data: InputTensor['data']): readonly (string | number)[] {
  if (data instanceof Int32Array) return [...data];
  // JSON can say a lone surrogate, UTF-8 cannot.
  return data.map((text) => text.toWellFormed());
}

function bytesOf({ datatype, data }: InputTensor): Buffer {
  if (!(data instanceof Int32Array)) {
    return Buffer.concat(
      data.flatMap((text) => {
        const bytes = Buffer.from(text, 'utf8');
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      }),
    );
  }
  const width = datatype === 'INT64' ? 8 : 4;
  const bytes = Buffer.alloc(data.length * width);
  // Ids and masks are not negative, so the high half of an INT64 stays 0.
  data.forEach((value, i) => bytes.writeInt32LE(value, i * width));
  return bytes;
}

const answerSchema = z.looseObject({
  model_version: z.string().optional(),
  outputs: z.array(
    z.looseObject({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.int().min(0)),
      parameters: z.looseObject({ binary_data_size: z.int().min(0).optional() }).optional(),
      data: z.array(z.unknown()).optional(),
    }),
  ),
});

/** An output of an answer. */
export interface OutputTensor {
  readonly shape: readonly number[];
  /** Row-major; float32 whatever the server sent. */
  readonly values: Float32Array;
}

/**
 * The named output of an answer, of type FP32, FP64 or FP16. Throws an Error that says what was expected and what came, without
 * where.
 */
export function inferenceOutput({ headers, body }: RemoteAnswer, name: string): OutputTensor {
  const length = headers[JSON_LENGTH] === undefined ? body.length : Number(headers[JSON_LENGTH]);
  const answer = answerSchema.parse(JSON.parse(body.toString('utf8', 0, length)));
  let offset = length;
  for (const output of answer.outputs) {
    const size = output.parameters?.binary_data_size;
    const bytes = size === undefined ? undefined : body.subarray(offset, offset + size);
    offset += size ?? 0;
    if (output.name !== name) continue;
    const count = output.shape.reduce((product, dimension) => product * dimension, 1);
    const values = bytes ? decode(bytes, output.datatype) : Float32Array.from(numbersIn(output.data ?? []));
    if (values.length === count) return { shape: output.shape, values };
    throw new Error(
      `output ${name}: expected ${count} values for [${output.shape.join(', ')}], got ${values.length}`,
    );
  }
  throw new Error(
    `expected an output ${name}, got ${answer.outputs.map((output) => output.name).join(', ')}`,
  );
}

/** JSON tensors may be flat or nested. */
function numbersIn(data: readonly unknown[]): number[] {
  // What is no number becomes NaN, and its text poison, not 0.
  return data.flat(Infinity).map((value) => (typeof value === 'number' ? value : NaN));
}

function decode(bytes: Buffer, datatype: string): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const read = READERS[datatype];
  if (!read) throw new Error(`expected an output of type FP32, FP64 or FP16, got ${datatype}`);
  const values = new Float32Array(Math.floor(bytes.length / read.width));
  for (let i = 0; i < values.length; i++) values[i] = read.at(view, i * read.width);
  return values;
}

interface Reader {
  readonly width: number;
  readonly at: (view: DataView, offset: number) => number;
}

const READERS: Readonly<Record<string, Reader>> = {
  FP32: { width: 4, at: (view, offset) => view.getFloat32(offset, true) },
  FP64: { width: 8, at: (view, offset) => view.getFloat64(offset, true) },
  FP16: { width: 2, at: (view, offset) => halfToNumber(view.getUint16(offset, true)) },
};

/** A half-precision number (IEEE 754 binary16) from its bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
