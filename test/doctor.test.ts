import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cudaMajor, packageOf, reportOf, type Trial } from '../src/doctor-advice.ts';
import { neededLibraries } from '../src/doctor-elf.ts';
import { coresOf, driverOf, featuresOf, machineFacts } from '../src/doctor-machine.ts';
import { tryProviders } from '../src/doctor-providers.ts';
import { doctor, doctorText, unableOf, type Doctor } from '../src/doctor.ts';
import { sluice } from './e2e/cli.ts';
import { linuxRuntime } from './classify/linux-runtime.ts';

const linux = linuxRuntime(() => true);
const NOTHING: Trial = { attempts: undefined, words: '', opened: {} };
/** What the CUDA provider of onnxruntime 1.30 for CUDA 13 asks for. */
const CUDA = ['libcublasLt.so.13', 'libcublas.so.13', 'libcurand.so.10', 'libcudart.so.13', 'libcuda.so.1'];
const absent = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, `${name}: cannot open shared object file`]));
const failing = (said: string) => ({ works: false, said });

describe('sluice doctor', () => {
  it('finds that this processor works, in fp32 and fp16, by really running a model', async () => {
    const [cpu] = await tryProviders({ device: 0, providers: ['cpu'] });
    expect(cpu).toMatchObject({
      works: true,
      precisions: ['fp32', 'fp16'],
      ranOn: 'CPUExecutionProvider',
      problem: undefined,
    });
  });

  it('tells of every provider, and of a model that could not run here', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-doctor-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'pipeline.yaml');
    const foreign = process.platform === 'win32' ? 'coreml' : 'dml';
    writeFileSync(
      file,
      `source: { type: file, inputs: [in.jsonl] }\nclassify: { execution_provider: ${foreign} }\n`,
    );
    const { stdout, code } = await sluice(['doctor', file, '--json']);
    expect(code).toBe(1);
    const found = JSON.parse(stdout) as Doctor;
    expect(found.providers.map(({ provider }) => provider)).toEqual([
      'cpu',
      'cuda',
      'tensorrt',
      'webgpu',
      'dml',
      'coreml',
    ]);
    expect(found.unable).toEqual({ main: [foreign] });
    expect(found.providers.every(({ works, problem }) => works !== (problem !== undefined))).toBe(true);
    writeFileSync(file, `source: { type: file, inputs: [in.jsonl] }\n`);
    const well = await doctor(file, {});
    expect(well.code).toBe(0);
    expect(well.text).toMatch(/^Node .*onnxruntime-node/);
    expect(well.text).toMatch(/ {2}cpu +works: fp32, fp16/);
  });

  it('survives a probe that crashes', () => {
    const report = reportOf('cuda', { ...NOTHING, words: 'a\nSIGSEGV\n' }, linux);
    expect(report).toMatchObject({
      works: false,
      problem: 'the attempt ended without an answer: SIGSEGV',
    });
  });
});

describe('reportOf', () => {
  it('names what has to be fetched first', () => {
    const attempts = { fp32: failing('Failed to load shared library'), fp16: failing('x') };
    const report = reportOf('cuda', { ...NOTHING, attempts }, { ...linux, has: () => false });
    expect(report.problem).toBe('libonnxruntime_providers_cuda.so is not in /ort');
    expect(report.steps[0]).toBe(linux.install);
  });

  it('names the libraries that are missing, and the packages that have them', () => {
    const attempts = { fp32: failing('Failed to load shared library'), fp16: failing('x') };
    const opened = { ...absent([...CUDA, 'libcudnn.so.9']), 'libcufft.so.12': '' };
    const report = reportOf('cuda', { ...NOTHING, attempts, opened }, linux);
    expect(report.problem).toBe('6 of 7 libraries that it asks for cannot be opened');
    expect(report.missing.map(({ library }) => library)).toEqual([...CUDA, 'libcudnn.so.9']);
    expect(report.steps[0]).toContain('apt-get install cuda-libraries-13-0 cudnn9-cuda-13 ');
    expect(report.steps[1]).toContain('libcuda.so.1 comes with the NVIDIA driver');
  });

  it('asks for the driver alone when only that is missing', () => {
    const opened = { ...Object.fromEntries(CUDA.map((name) => [name, ''])), ...absent(['libcuda.so.1']) };
    const { steps } = reportOf('cuda', { ...NOTHING, opened }, linux);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toContain('580.65 or later');
  });

  it('says that a driver is too old', () => {
    const said = 'x CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1';
    const attempts = { fp32: failing(said), fp16: failing(said) };
    const report = reportOf('cuda', { ...NOTHING, attempts }, linux);
    expect(report.problem).toBe(
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
    );
    expect(report.steps[0]).toContain('newer NVIDIA driver');
  });

  it('does not believe a provider whose model ran on the processor', () => {
    const fp32 = { works: true, ranOn: 'CPUExecutionProvider', seconds: 0.1 };
    const report = reportOf('cuda', { ...NOTHING, attempts: { fp32, fp16: fp32 } }, linux);
    expect(report).toMatchObject({ works: false, problem: 'the model ran on the processor instead' });
  });

  it('says which precision a device lacks', () => {
    const fp32 = { works: true, ranOn: 'WebGpuExecutionProvider', seconds: 0.3 };
    const fp16 = failing('Program Cast requires f16 but the device does not support it.');
    const report = reportOf('webgpu', { ...NOTHING, attempts: { fp32, fp16 } }, linux);
    expect(report).toMatchObject({ works: true, precisions: ['fp32'] });
    const text = doctorText({ machine: machineFacts(), providers: [report], unable: {} });
    expect(text).toContain('webgpu   works: fp32, not fp16');
  });
});

describe('neededLibraries', () => {
  it('reads them from a library of this machine', () => {
    const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
    const folder = join(root, 'bin/napi-v6/linux/x64');
    const name = readdirSync(folder).find((file) => file.startsWith('libonnxruntime.so'))!;
    expect(neededLibraries(join(folder, name))).toEqual(
      expect.arrayContaining(['libstdc++.so.6', 'libm.so.6', 'libc.so.6']),
    );
    expect(neededLibraries(join(folder, 'onnxruntime_binding.node'))).toContain('libonnxruntime.so.1');
  });

  it('finds none in a file of another kind', () => {
    expect(neededLibraries(import.meta.filename)).toEqual([]);
  });
});

describe('the machine', () => {
  it('is described', () => {
    const { processor, memory, onnxruntime } = machineFacts();
    expect(processor.usable).toBeGreaterThan(0);
    expect(processor.usable).toBeLessThanOrEqual(processor.cores);
    expect(memory.bytes).toBeGreaterThan(1e8);
    expect(onnxruntime).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('has the features that its kernel names', () => {
    expect(featuresOf('flags\t\t: fpu avx2 avx512f avx512_vnni\n')).toEqual([
      'avx2',
      'avx512f',
      'avx512_vnni',
    ]);
    expect(featuresOf('Features\t: fp asimd asimddp i8mm\n')).toEqual(['asimddp', 'i8mm']);
    expect(featuresOf(undefined)).toBeUndefined();
  });

  it('has the cores of the container', () => {
    expect(coresOf('150000 100000\n')).toBe(1.5);
    expect(coresOf('max 100000\n')).toBeUndefined();
    expect(coresOf(undefined)).toBeUndefined();
  });

  it('has the driver that the kernel module says', () => {
    const line = 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build  (x)\n';
    expect(driverOf(line)).toBe('580.82.07');
    expect(driverOf('NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun\n')).toBe('535.183.01');
    expect(driverOf(undefined)).toBeUndefined();
  });
});

describe('libraries', () => {
  it('are known by their names', () => {
    expect(cudaMajor(CUDA)).toBe('13');
    expect(cudaMajor(['libcurand.so.10'])).toBeUndefined();
    expect(packageOf('libcublas.so.12', ['libcublas.so.12'])).toBe('CUDA 12');
    expect(packageOf('libnvinfer.so.10', [])).toBe('TensorRT 10');
    expect(packageOf('libcudnn.so.9', CUDA)).toBe('cuDNN 9 for CUDA 13');
  });
});

describe('unableOf', () => {
  it('names the models without a provider that works', () => {
    const wanted = { a: ['cuda', 'cpu'], b: ['cuda'], c: ['cpu'] } as const;
    expect(unableOf(wanted, new Set(['cpu']))).toEqual({ b: ['cuda'] });
  });
});
