/**
 * A process of its own for what may crash: `try PROVIDER DEVICE` runs two tiny models (2 × 2, fp32 and fp16) on a provider, `open
 * NAME…` opens shared libraries. One line of JSON on standard output; what the native libraries say goes to standard error.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sessionProviders, type Provider } from './classify/provider.ts';
import { messageOf } from './errors.ts';

/** What became of one model on a provider. */
export interface Attempt {
  readonly works: boolean;
  /** What the runtime said when it did not work. */
  readonly said?: string;
  /** The runtime's name of what computed the product, such as `CUDAExecutionProvider`. */
  readonly ranOn?: string;
  /** Seconds to make the session and to run it once. */
  readonly seconds?: number;
}

/** The answer of `try`, by precision. */
export type Attempts = Readonly<Record<'fp32' | 'fp16', Attempt>>;

/** The answer of `open`: by library, why it was not opened; an empty text when it was. */
export type Opened = Readonly<Record<string, string>>;

/** y = x · [[2, 0], [0, 3]], inputs and outputs float32: MatMul as it is, and between casts to float16 and back. */
const MODELS = {
  fp32: 'CAgSADpsChoKAXgKAXcSAXkaB3Byb2R1Y3QiBk1hdE11bBIFcHJvYmUqGwgCCAIQAUIBd0oQAAAAQAAAAAAAAAAAAABAQFoUCgF4Eg8KDQgBEgkKAxIBbgoCCAJiFAoBeRIPCg0IARIJCgMSAW4KAggCQgQKABAN',
  fp16: 'CAgSADqWAQoXCgF4EgFhIgRDYXN0KgkKAnRvGAqgAQIKGgoBYQoBdxIBYhoHcHJvZHVjdCIGTWF0TXVsChcKAWISAXkiBENhc3QqCQoCdG8YAaABAhIFcHJvYmUqEwgCCAIQCkIBd0oIAEAAAAAAAEJaFAoBeBIPCg0IARIJCgMSAW4KAggCYhQKAXkSDwoNCAESCQoDEgFuCgIIAkIECgAQDQ==',
};

async function attempt(model: string, provider: Provider, device: number): Promise<Attempt> {
  const ort = await import('onnxruntime-node');
  const folder = mkdtempSync(join(tmpdir(), 'sluice-doctor-'));
  const started = performance.now();
  try {
    const session = await ort.InferenceSession.create(Buffer.from(model, 'base64'), {
      executionProviders: sessionProviders(provider, device),
      // The only thing that says which provider ran an operator.
      enableProfiling: true,
      profileFilePrefix: join(folder, 'profile'),
    });
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 1), [1, 2]) });
    const seconds = (performance.now() - started) / 1000;
    const result = [...(y!.data as Float32Array)];
    session.endProfiling();
    await session.release();
    if (result[0] !== 2 || result[1] !== 3)
      return { works: false, said: `expected the product 2, 3, got ${result.join(', ')}` };
    return { works: true, ranOn: ranOn(folder), seconds };
  } catch (error) {
    return { works: false, said: messageOf(error).trim() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function ranOn(folder: string): string {
  const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8')) as {
    readonly name: string;
    readonly args?: { readonly provider?: string };
  }[];
  const kernels = events.flatMap(({ name, args }) =>
    name.endsWith('_kernel_time') && args?.provider ? [{ name, provider: args.provider }] : [],
  );
  // A provider may fuse all of the model into one operator of its own.
  return (kernels.find(({ name }) => name.startsWith('product')) ?? kernels[0])?.provider ?? 'unknown';
}

function open(name: string): string {
  try {
    process.dlopen({ exports: {} }, name);
  } catch (error) {
    // It is no module of Node: that is said only after it was opened.
    if (!/did not self-register/i.test(messageOf(error))) return messageOf(error).split('\n')[0]!;
  }
  return '';
}

const [task, ...args] = process.argv.slice(2);
if (task === 'try') {
  const provider = args[0] as Provider;
  const device = Number(args[1]);
  const answer: Attempts = {
    fp32: await attempt(MODELS.fp32, provider, device),
    fp16: await attempt(MODELS.fp16, provider, device),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
} else {
  const answer: Opened = Object.fromEntries(args.map((name) => [name, open(name)]));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
