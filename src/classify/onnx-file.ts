import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MisconfiguredError } from '../errors.ts';
import type { ModelConfig } from './model-config.ts';

/** What exporters call the file of a precision: optimum, its quantizer, and the folders of the model hubs. */
const NAMES = {
  fp32: ['model.onnx'],
  fp16: ['model_fp16.onnx'],
  int8: ['model_int8.onnx', 'model_quantized.onnx'],
};
/** The hubs keep ONNX files in a folder, optimum writes them at the top. */
const FOLDERS = ['onnx', ''];

/**
 * The ONNX file to load, below the folder: the one named, else that of the precision, else model.onnx. Throws
 * MisconfiguredError, with the files that there are, when it is missing.
 */
export function chooseOnnxFile(
  path: string,
  { file, precision }: { readonly file?: string | undefined; readonly precision?: ModelConfig['precision'] },
): string {
  if (file !== undefined && precision !== undefined)
    throw new MisconfiguredError(
      `${path}: expected either a file or a precision, got file ${file} and precision ${precision}`,
    );
  if (file !== undefined) {
    if (existsSync(join(path, file))) return file;
    throw new MisconfiguredError(`${join(path, file)}: expected a file, got nothing${others(path)}`);
  }
  const names = FOLDERS.flatMap((folder) => NAMES[precision ?? 'fp32'].map((name) => join(folder, name)));
  const found = names.find((name) => existsSync(join(path, name)));
  if (found !== undefined) return found;
  const wanted = precision === undefined ? '' : `precision ${precision}: `;
  throw new MisconfiguredError(
    `${path}: ${wanted}expected ${names.join(' or ')}, got none of them${others(path)}`,
  );
}

/** Name of the file in the identity of a model; nothing for the usual one. Pure. */
export function precisionOf(file: string): string {
  const name = file
    .split(/[/\\]/)
    .at(-1)!
    .replace(/\.onnx$/, '');
  return name === 'model' ? '' : `+${name}`;
}

function others(path: string): string {
  const found = FOLDERS.flatMap((folder) =>
    existsSync(join(path, folder))
      ? readdirSync(join(path, folder))
          .filter((name) => name.endsWith('.onnx'))
          .map((name) => join(folder, name))
      : [],
  );
  return found.length > 0 ? `; there are ${found.join(', ')}` : '';
}
