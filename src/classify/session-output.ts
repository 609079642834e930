import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { MisconfiguredError } from '../errors.ts';
import type { ModelFolder } from './model-folder.ts';

/** Element types that scores may have. */
const NUMBERS = ['float32', 'float16', 'float64'];
/** What exporters call the output with one number per label, where the model has other ones beside it. */
const USUAL = ['logits', 'probabilities', 'output_probability'];

type Model = Pick<ModelFolder, 'onnx' | 'labels'>;

/**
 * Name of the output with a number per label: the only one with numbers, else `logits` (transformers) or
 * `probabilities` (scikit-learn). Throws MisconfiguredError when there is none, or another number of columns.
 */
export function findOutput(
  session: Pick<InferenceSession, 'outputNames' | 'outputMetadata'>,
  { onnx, labels }: Model,
): string {
  const numbers = session.outputMetadata.filter((output) => output.isTensor && NUMBERS.includes(output.type));
  const found =
    numbers.length === 1 ? numbers[0] : numbers.find(({ name }) => USUAL.includes(name.toLowerCase()));
  if (!found) {
    const maps = session.outputMetadata.some((output) => !output.isTensor);
    throw new MisconfiguredError(
      `${onnx}: expected an output "logits" or "probabilities", got ${session.outputNames.join(', ')}` +
        (maps ? "; export it without maps: skl2onnx with options={'zipmap': False}" : ''),
    );
  }
  const width = found.isTensor ? found.shape.at(-1) : undefined;
  if (
    typeof width === 'number' &&
    width > 0 &&
    width !== labels.length &&
    found.isTensor &&
    found.shape.length > 1
  ) {
    throw new MisconfiguredError(
      `${onnx}: output ${found.name}: expected ${labels.length} columns (${labels.join(', ')}), got ${width}`,
    );
  }
  return found.name;
}

/** The values of an output as float32, in memory that may be written. Throws MisconfiguredError for another number of values. */
export function probabilitiesOf(
  tensor: Tensor,
  {
    rows,
    output,
    model: { onnx, labels },
  }: { readonly rows: number; readonly output: string; readonly model: Model },
): Float32Array {
  const { data, type, dims } = tensor;
  const values = NUMBERS.includes(type) ? asFloat32(data as Numbers) : undefined;
  if (values?.length === rows * labels.length) return values;
  throw new MisconfiguredError(
    `${onnx}: output ${output}: expected float32 [${rows}, ${labels.length}] (one per label), got ${type} [${dims.join(', ')}]`,
  );
}

type Numbers = Float32Array | Float64Array | Uint16Array | ArrayLike<number>;

/** Half precision comes as Float16Array where JavaScript has it, else as its bits. */
function asFloat32(data: Numbers): Float32Array {
  if (data instanceof Float32Array) return data;
  return data instanceof Uint16Array ? Float32Array.from(data, fromHalf) : Float32Array.from(data);
}

/** Value of the bits of an IEEE 754 binary16 number. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
