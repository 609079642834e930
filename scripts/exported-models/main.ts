/**
 * Shows that folders exported by the standard tool run unchanged: makes three models of true size with random weights,
 * exports them by optimum, and compares every score with that of Python's onnxruntime. Needs Python, 10 GB of disk and
 * some minutes the first time. `npm run exported-models`; with `-- FOLDER`, the models of that folder are compared.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { content } from '../../benchmarks/content.ts';
import { digestOf } from '../../benchmarks/harness/machine.ts';
import { modelConfig, openModel } from '../../src/classify/index.ts';
import { installOnce } from '../services/cache.ts';
import { execute } from '../services/execute.ts';
import { requireTools } from '../services/tools.ts';

/** Wheels without CUDA; where it is out of reach, those of PyPI do, and are larger. */
const CPU_WHEELS = 'https://download.pytorch.org/whl/cpu';
/** Texts that the tokenizers are trained on, and how many of them are scored. */
const TEXTS = 20_000;
const SCORED = 200;
/**
 * Largest difference of a probability between the two runtimes: in single precision, in half, and in int8, which Python
 * scores alone and Sluice in batches with one scale for all.
 */
const TOLERANCE = { 'model.onnx': 1e-4, 'model_fp16.onnx': 5e-3, 'model_quantized.onnx': 0.1 };

type File = keyof typeof TOLERANCE;
interface Expected {
  readonly texts: string[];
  readonly scores: Record<File, number[][]>;
}

async function makeModels(folder: string): Promise<void> {
  const [python] = await requireTools('exported models', [
    { command: 'python3', packages: ['python3', 'python3-venv'] },
  ]);
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const digest = digestOf(['scripts/exported-models/requirements.txt']);
  const packages = await installOnce(`exported-models-${digest}`, async (place) => {
    const flags = ['-q', '--target', place, '--extra-index-url', CPU_WHEELS];
    await execute(python!, ['-m', 'pip', 'install', ...flags, '-r', requirements]);
  });
  const texts = join(folder, 'texts.txt');
  writeFileSync(texts, [...textsOf(TEXTS)].join('\n'));
  console.error('Making and exporting three models ...');
  const output = await execute(
    python!,
    [join(import.meta.dirname, 'make.py'), 'true', texts, folder, '--scored', String(SCORED)],
    { env: { PYTHONPATH: packages } },
  );
  for (const line of output.split('\n')) if (line.includes(' parameters, ')) console.log(line);
}

function* textsOf(messages: number): Generator<string> {
  for (const bytes of content({ messages, bytes: 300, seed: 3, uniform: true })) {
    const { text } = JSON.parse(bytes.toString()) as { readonly text: string };
    yield JSON.stringify(text);
  }
}

/** Largest difference of any score; NaN when one is missing. */
async function compare(model: string, file: File, { texts, scores: expected }: Expected): Promise<number> {
  const classifier = await openModel(modelConfig.parse({ model, file }));
  const started = performance.now();
  const { scores, poison } = await classifier.score(texts);
  const millis = (performance.now() - started) / texts.length;
  await classifier.close();
  const flat = expected[file].flat();
  const worst =
    poison.length > 0 || flat.length !== scores.length
      ? NaN
      : flat.reduce((most, score, i) => Math.max(most, Math.abs(score - scores[i]!)), 0);
  console.log(
    `${model.split('/').at(-1)!} ${file}: ${texts.length} texts × ${classifier.labels.length} labels, largest difference ${worst.toExponential(1)}, ${millis.toFixed(1)} ms a text`,
  );
  return worst;
}

async function show(given: string | undefined): Promise<void> {
  const folder = given ?? mkdtempSync(join(tmpdir(), 'sluice-exported-'));
  try {
    if (given === undefined) await makeModels(folder);
    for (const name of ['minilm', 'distilbert', 'xlm-roberta']) {
      const expected = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')) as Expected;
      for (const file of Object.keys(TOLERANCE) as File[]) {
        if (!(file in expected.scores)) continue;
        if (!((await compare(join(folder, name), file, expected)) <= TOLERANCE[file])) process.exitCode = 1;
      }
    }
  } finally {
    if (given === undefined) rmSync(folder, { recursive: true });
  }
}

await show(process.argv[2]);
