import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Classifier } from '../../src/classify/classifier.ts';
import { createModelClassifier } from '../../src/classify/model-classifier.ts';
import { modelConfig } from '../../src/classify/model-config.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { openModel } from '../../src/classify/open-model.ts';
import { openRemote } from '../../src/classify/open-remote.ts';
import { teiConfig, tritonConfig } from '../../src/classify/remote-config.ts';
import { MisconfiguredError, UnavailableError } from '../../src/errors.ts';
import { classifierContract } from '../contract/classifier.ts';
import { startTei, startTriton, type InferenceServer } from './inference-server.ts';

const tiny = join(import.meta.dirname, 'fixtures/tiny');
const TEXTS = ['hello world', 'you are an idiot', 'buy pills now', 'they are vermin', ''];
const EXTENSIONS = ['binary_tensor_data', 'classification', 'model_configuration'];
/** Two thirds of it are how long a call may take. */
const BRIEF = { timeLimit: 450 };

let triton: InferenceServer;
let tei: InferenceServer;
beforeAll(async () => {
  triton = await startTriton(tiny);
  tei = await startTei(tiny);
});
afterAll(() => Promise.all([triton.close(), tei.close()]));
beforeEach(() => {
  for (const { state } of [triton, tei]) {
    Object.assign(state, { isSilent: false, delay: 0, version: '1', extensions: EXTENSIONS });
    state.refuse = { status: 503, times: 0 };
    state.sizes.length = 0;
  }
});

const openText = (options: object = {}, limits = {}) =>
  openRemote({ triton: tritonConfig.parse({ url: triton.url, model: 'text', ...options }) }, limits);
const openTokens = (options: object = {}, limits = {}) =>
  openRemote(
    { triton: tritonConfig.parse({ url: triton.url, model: 'tokens', folder: tiny, ...options }) },
    limits,
  );
const openTei = (options: object = {}, limits = {}) =>
  openRemote({ tei: teiConfig.parse({ url: tei.url, activation: 'sigmoid', ...options }) }, limits);

const KINDS: readonly [string, (options?: object, limits?: object) => Promise<Classifier>][] = [
  ['a server that takes texts', openText],
  ['a server that takes token ids', openTokens],
  ['Text Embeddings Inference', openTei],
];

for (const [name, open] of KINDS) classifierContract(name, () => open());
classifierContract('a server without extensions', async () => {
  triton.state.extensions = [];
  try {
    return await openText({ labels: ['toxic', 'hate', 'spam'] });
  } finally {
    triton.state.extensions = EXTENSIONS;
  }
});

describe.each(KINDS)('openRemote: %s', (_, open) => {
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => expect.unreachable(),
      (error: unknown) => error as Error,
    );
  it('scores as the same model does here', async () => {
    const local = await createModelClassifier(readModelFolder({ path: tiny }), modelConfig.parse({}));
    const classifier = await open();
    const [here, there] = [await local.score(TEXTS), await classifier.score(TEXTS)];
    expect(classifier.labels).toEqual(local.labels);
    TEXTS.forEach((text, row) => {
      if (text === '') return;
      for (let i = row * 3; i < row * 3 + 3; i++) expect(there.scores[i]).toBeCloseTo(here.scores[i]!, 5);
    });
    await Promise.all([local.close(), classifier.close()]);
  });

  it('sends no more texts at once than the server takes, and each once', async () => {
    const classifier = await open();
    for (const { state } of [triton, tei]) state.sizes.length = 0;
    await classifier.score(Array.from({ length: 100 }, (_each, i) => `hello ${i % 50}`));
    const sizes = [...triton.state.sizes, ...tei.state.sizes];
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(50);
    expect(Math.max(...sizes)).toBe(8);
    await classifier.close();
  });

  it('finds the texts that the server refuses, and scores all others', async () => {
    const classifier = await open();
    const texts = Array.from({ length: 50 }, (_each, i) =>
      i === 7 || i === 31 ? `kaboom ${i}` : `idiot ${i}`,
    );
    const { scores, poison } = await classifier.score([...texts, 'kaboom 7']);
    expect(poison.map(({ row }) => row)).toEqual([7, 31, 50]);
    expect(poison[0]!.detail).toMatch(/^the server refused it: status (500|424)$/);
    texts.forEach((text, row) => {
      if (text.startsWith('kaboom')) expect(scores[row * 3]).toBeNaN();
      else expect(scores[row * 3]).toBeCloseTo(1 / (1 + Math.exp(-3)), 5);
    });
    await classifier.close();
  });

  it.each([429, 503])('asks again after status %d', async (status) => {
    const classifier = await open();
    for (const { state } of [triton, tei]) state.refuse = { status, times: 2 };
    const { scores, poison } = await classifier.score(['you idiot']);
    expect(poison).toEqual([]);
    expect(scores[0]).toBeGreaterThan(0.9);
    await classifier.close();
  });

  it('calls a server that refuses everything unavailable, and no text poison', async () => {
    const classifier = await open({}, BRIEF);
    for (const { state } of [triton, tei]) state.refuse = { status: 500, times: Infinity };
    expect(await failure(classifier.score(TEXTS))).toBeInstanceOf(UnavailableError);
    for (const { state } of [triton, tei]) state.refuse.times = 0;
    expect((await classifier.score(TEXTS)).poison).toEqual([]);
    await classifier.close();
  });

  it('gives up on a server that is away, and goes on when it is back', async () => {
    const classifier = await open({ time_limit: '100ms' }, BRIEF);
    await Promise.all([triton.close(), tei.close()]);
    const away = await failure(classifier.score(TEXTS));
    await Promise.all([triton.listen(), tei.listen()]);
    expect(away).toBeInstanceOf(UnavailableError);
    expect(away.message).toContain('ECONNREFUSED');
    expect((await classifier.score(TEXTS)).scores[3]).toBeGreaterThan(0.9);
    await classifier.close();
  });

  it('gives up on a server that does not answer', async () => {
    const classifier = await open({ time_limit: '100ms' }, BRIEF);
    for (const { state } of [triton, tei]) state.isSilent = true;
    const silent = await failure(classifier.score(TEXTS));
    expect(silent).toBeInstanceOf(UnavailableError);
    expect(silent.message).toMatch(/no answer within 0.1 s$/);
    await classifier.close();
  });

  it('gives a batch up that takes too long although the server answers, and says so', async () => {
    const classifier = await open({ concurrency: 1 }, { timeLimit: 3_000 });
    for (const { state } of [triton, tei]) state.delay = 400;
    const slow = await failure(classifier.score(Array.from({ length: 80 }, (_each, i) => `hello ${i}`)));
    expect(slow).toBeInstanceOf(UnavailableError);
    expect(slow.message).toMatch(/ of 80 texts within 2 s: raise classify\.time_limit/);
    await classifier.close();
  });

  it('refuses a model that is another one after the server was away', async () => {
    const classifier = await open({ time_limit: '100ms' }, BRIEF);
    for (const { state } of [triton, tei]) state.isSilent = true;
    await failure(classifier.score(TEXTS));
    for (const { state } of [triton, tei]) Object.assign(state, { isSilent: false, version: '2abc' });
    const changed = await failure(classifier.score(TEXTS));
    expect(changed).toBeInstanceOf(MisconfiguredError);
    expect(changed.message).toMatch(/2abc.* by now/);
    await classifier.close();
  });

  it('asks from time to time whether the server has another model', async () => {
    const classifier = await open();
    for (const { state } of [triton, tei]) state.version = '2abc';
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 31_000);
    const changed = await failure(classifier.score(TEXTS));
    vi.restoreAllMocks();
    expect(changed).toBeInstanceOf(MisconfiguredError);
    expect(changed.message).toMatch(/2abc.* by now/);
    await classifier.close();
  });

  it('sends the headers of the configuration, and says when they do not let us in', async () => {
    const classifier = await open({ headers: { authorization: 'Bearer hush' } });
    expect([triton.state.headers['authorization'], tei.state.headers['authorization']]).toContain(
      'Bearer hush',
    );
    for (const { state } of [triton, tei]) state.refuse = { status: 401, times: 1 };
    const error = await failure(classifier.score(TEXTS));
    expect(error).toBeInstanceOf(MisconfiguredError);
    expect(error.message).toContain('correct the headers');
    expect(error.message).not.toContain('hush');
    await classifier.close();
  });

  it('does not open while the server is away', async () => {
    await Promise.all([triton.close(), tei.close()]);
    const away = await failure(open({}, BRIEF));
    await Promise.all([triton.listen(), tei.listen()]);
    expect(away).toBeInstanceOf(UnavailableError);
  });
});

describe('openRemote', () => {
  it('takes labels from the label file of the server, and thresholds from the folder', async () => {
    const [text, tokens] = [await openText(), await openTokens()];
    expect(text.labels).toEqual(['toxic', 'hate', 'spam']);
    expect(text.thresholds).toEqual({});
    expect(tokens.thresholds['toxic']).toEqual({ review: 0.5, block: 0.9 });
    expect([...tokens.languages!]).toEqual(['en']);
    expect(text.model).toBe('text@1');
    await Promise.all([text.close(), tokens.close()]);
  });

  it('names a model by its commit', async () => {
    tei.state.version = '0123456789abcdef';
    const [found, named] = [await openTei(), await openTei({ version: 'v7' })];
    expect([found.model, named.model]).toEqual(['tiny@01234567', 'tiny@v7']);
    await Promise.all([found.close(), named.close()]);
  });

  it.each([
    [{ model: 'nonsense' }, /with the model nonsense, got .*status 404/],
    [{ model: 'tokens' }, /takes token ids .*set folder/],
    [{ labels: ['a', 'b'] }, /expected 2 columns \(a, b\), got 3/],
    [{ labels: ['a', 'a', 'b'] }, /distinct labels, got "a" twice/],
    [{ output: 'x' }, /expected an output x, got scores: set output/],
    [{ input: 'x' }, /expected an input x of type BYTES/],
    [
      { model: 'tokens', folder: tiny, activation: 'none' },
      /probabilities from 0 to 1, got -3\.00: set activation/,
    ],
    [{ folder: join(tiny, 'nothing') }, /config\.json: expected a file, got nothing/],
  ])('refuses %j', async (options, message) => {
    const opened = openText(options);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(MisconfiguredError);
  });

  it('refuses a server of another kind', async () => {
    const opened = openRemote({ tei: teiConfig.parse({ url: triton.url }) });
    await expect(opened).rejects.toThrow(/expected a Text Embeddings Inference server, got .*status 404/);
  });

  it('is what a model of the configuration is opened by', async () => {
    const classifier = await openModel(modelConfig.parse({ triton: { url: triton.url, model: 'text' } }));
    expect(classifier.model).toBe('text@1');
    await classifier.close();
    const two = modelConfig.parse({ triton: { url: triton.url, model: 'text' }, tei: { url: tei.url } });
    await expect(openModel(two)).rejects.toThrow(/expected one server/);
  });
});

describe('tritonConfig', () => {
  it.each([
    { url: 'http://user:password@host', model: 'x' },
    { url: 'ftp://host', model: 'x' },
    { url: 'http://host', model: 'a/b' },
    { url: 'http://host', model: 'x', headers: { 'content-type': 'x' } },
    { url: 'http://host', model: 'x', headers: { authorization: 'a\nb' } },
    { url: 'http://host', model: 'x', version: 3 },
  ])('refuses %j', (value) => {
    expect(tritonConfig.safeParse(value).success).toBe(false);
  });
});
