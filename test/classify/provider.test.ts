import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classifyConfig, workerCount } from '../../src/classify/config.ts';
import { createModelClassifier } from '../../src/classify/model-classifier.ts';
import { modelConfig } from '../../src/classify/model-config.ts';
import { readModelFolder } from '../../src/classify/model-folder.ts';
import { createOnnxSession } from '../../src/classify/onnx-session.ts';
import {
  gistOf,
  isProviderProblem,
  missingPart,
  providerProblem,
  sessionProviders,
  usualBatchTokens,
  type Provider,
} from '../../src/classify/provider.ts';
import { MisconfiguredError } from '../../src/errors.ts';
import { linuxRuntime } from './linux-runtime.ts';

const tiny = join(import.meta.dirname, 'fixtures/tiny');
const onnx = join(tiny, 'onnx/model.onnx');

const linux = linuxRuntime(() => false);
/** A provider that no runtime of this platform has. */
const foreign: Provider = process.platform === 'darwin' ? 'dml' : 'coreml';

describe('createOnnxSession', () => {
  it('runs on the processor', async () => {
    const { session, provider } = await createOnnxSession(onnx, { providers: 'cpu', device: 0 });
    expect(provider).toBe('cpu');
    expect(session.outputNames).toEqual(['logits']);
    await session.release();
  });

  it('refuses a provider that this build does not have, and does not fall back to the processor', async () => {
    const opened = createOnnxSession(onnx, { providers: foreign, device: 0 });
    await expect(opened).rejects.toBeInstanceOf(MisconfiguredError);
    await expect(opened).rejects.toThrow(
      new RegExp(`^execution_provider ${foreign}: onnxruntime-node for .* has cpu.*sluice doctor`),
    );
  });

  it('takes the next one of a list, and names every reason when there is none', async () => {
    const { session, provider } = await createOnnxSession(onnx, { providers: [foreign, 'cpu'], device: 0 });
    expect(provider).toBe('cpu');
    await session.release();
    await expect(createOnnxSession(onnx, { providers: [foreign, foreign], device: 0 })).rejects.toThrow(
      new RegExp(`execution_provider ${foreign}: .*; execution_provider ${foreign}: `),
    );
  });

  it('blames the file for a damaged model', async () => {
    const file = join(tiny, 'config.json');
    await expect(createOnnxSession(file, { providers: 'cpu', device: 0 })).rejects.toThrow(
      `${file}: expected an ONNX model, got `,
    );
  });
});

describe('a model on a provider', () => {
  it('is scored by the next provider of the list', async () => {
    const config = modelConfig.parse({ execution_provider: [foreign, 'cpu'] });
    const classifier = await createModelClassifier(readModelFolder({ path: tiny }), config);
    expect((await classifier.score(['you idiot'])).scores[0]).toBeGreaterThan(0.9);
    await classifier.close();
  });

  it('has one worker on a provider that two threads would crash, and no reload', () => {
    const webgpu = { execution_provider: ['webgpu', 'cpu'], reload: 'off' };
    expect(workerCount(classifyConfig.parse(webgpu))).toBe(1);
    for (const wrong of [{ workers: 2 }, { reload: '30s' }]) {
      const result = classifyConfig.safeParse({ ...webgpu, ...wrong });
      expect(result.error?.issues[0]?.message).toMatch(/would crash the process$/);
    }
  });

  it('has two workers by default on a GPU', () => {
    const auto = workerCount(classifyConfig.parse({}));
    expect(workerCount(classifyConfig.parse({ execution_provider: 'cuda' }))).toBe(2);
    expect(workerCount(classifyConfig.parse({ execution_provider: ['cpu', 'cuda'] }))).toBe(auto);
    expect(workerCount(classifyConfig.parse({ execution_provider: 'cuda', workers: 3 }))).toBe(3);
    const models = { large: { execution_provider: ['tensorrt', 'cuda'] }, small: {} };
    expect(workerCount(classifyConfig.parse({ models }))).toBe(2);
  });
});

describe('sessionProviders', () => {
  it('gives the device only to those that have several, and lets TensorRT fall back to CUDA', () => {
    expect(sessionProviders('cuda', 1)).toEqual([{ name: 'cuda', deviceId: 1 }]);
    expect(sessionProviders('tensorrt', 2)).toEqual([
      { name: 'tensorrt', deviceId: 2 },
      { name: 'cuda', deviceId: 2 },
    ]);
    // The binding refuses a device for it.
    expect(sessionProviders('webgpu', 1)).toEqual(['webgpu']);
    expect(sessionProviders('cpu', 0)).toEqual(['cpu']);
  });
});

describe('what is missing', () => {
  it('is the build, or a library that is fetched', () => {
    expect(missingPart('cpu', linux)).toBeUndefined();
    expect(missingPart('webgpu', linux)).toBeUndefined();
    expect(missingPart('dml', linux)).toBe(
      'onnxruntime-node for linux on x64 has cpu, webgpu, cuda, tensorrt; dml comes for Windows',
    );
    expect(missingPart('cuda', linux)).toBe('libonnxruntime_providers_cuda.so is not in /ort');
    expect(missingPart('cuda', { ...linux, has: () => true })).toBeUndefined();
  });

  it('is said in one line with the way out', () => {
    expect(providerProblem('cuda', '', linux)).toBe(
      'execution_provider cuda: libonnxruntime_providers_cuda.so is not in /ort: ' +
        'ONNXRUNTIME_NODE_INSTALL=cuda12 node /ort/script/install.js fetches it; `sluice doctor` says what this machine can use',
    );
    expect(providerProblem('dml', '', linux)).not.toContain('fetches');
    expect(providerProblem('webgpu', 'Failed to get a WebGPU adapter: No supported adapters\n', linux)).toBe(
      'execution_provider webgpu: Failed to get a WebGPU adapter: No supported adapters; `sluice doctor` says what this machine can use',
    );
  });

  // What onnxruntime-node 1.30 said on Linux without a GPU, without a driver, and with an old one.
  const SAID = [
    'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
    '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:146 onnxruntime::CudaCall(ERRTYPE, const char*) CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=secret ; file=/onnxruntime_src/x.cc ; line=352',
    'no available backend found. ERR: [dml] backend not found.',
  ];
  it('is told from a model that is damaged', () => {
    expect(SAID.filter((said) => !isProviderProblem(said))).toEqual([]);
    expect(isProviderProblem('Load model from x.onnx failed:Protobuf parsing failed.')).toBe(false);
  });

  it('is without sources, signatures and hosts', () => {
    expect(SAID.map(gistOf)).toEqual([
      SAID[0],
      'Failed to get a WebGPU adapter: No supported adapters',
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
      SAID[3],
    ]);
  });
});

describe('execution_provider', () => {
  it('is one name or a list of them', () => {
    expect(modelConfig.parse({}).execution_provider).toBe('cpu');
    expect(modelConfig.safeParse({ execution_provider: 'gpu' }).success).toBe(false);
    expect(modelConfig.safeParse({ execution_provider: [] }).success).toBe(false);
    expect(modelConfig.safeParse({ execution_provider: ['cuda', 'cpu'], device: 1 }).success).toBe(true);
  });

  it('decides how many tokens a run has', () => {
    expect([usualBatchTokens('cpu'), usualBatchTokens('cuda')]).toEqual([1024, 16_384]);
  });
});
