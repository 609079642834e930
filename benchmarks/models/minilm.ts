import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from '../../scripts/services/cache.ts';
import { execute } from '../../scripts/services/execute.ts';
import { requireTools } from '../../scripts/services/tools.ts';
import { content } from '../content.ts';
import { digestOf } from '../harness/machine.ts';

const FOLDER = import.meta.dirname;

/** The folder of a model as large as MiniLM-L6 in int8, with random weights: made once per machine, by Python. */
export function miniLm(): Promise<string> {
  const key = digestOf(['minilm.py', 'requirements.txt'].map((name) => `benchmarks/models/${name}`));
  return installOnce(`minilm-sized-${key}`, async (place) => {
    const [python] = await requireTools('benchmark model', [
      { command: 'python3', packages: ['python3', 'python3-venv'] },
    ]);
    const packages = join(place, 'packages');
    const texts = join(place, 'texts.txt');
    await execute(python!, ['-m', 'pip', 'install', '-q', '--target', packages, '-r', join(FOLDER, 'requirements.txt')]);
    writeFileSync(texts, [...textsOf(20_000)].join('\n'));
    mkdirSync(join(place, 'onnx'));
    await execute(python!, [join(FOLDER, 'minilm.py'), texts, place], { env: { PYTHONPATH: packages } });
    rmSync(packages, { recursive: true });
    rmSync(texts);
  });
}

function* textsOf(messages: number): Generator<string> {
  for (const bytes of content({ messages, bytes: 300, seed: 3, uniform: true })) {
    const { text } = JSON.parse(bytes.toString()) as { readonly text: string };
    yield text.replaceAll('\n', ' ');
  }
}
