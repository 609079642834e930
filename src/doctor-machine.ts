import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** Instructions that decide how fast a model runs on a processor, as the kernel names them. */
const FEATURES = ['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni', 'amx_int8', 'asimddp', 'i8mm'] as const;

/** What this machine has, as far as it bears on models. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Version of glibc; undefined where there is another C library. */
  readonly glibc: string | undefined;
  readonly node: string;
  readonly onnxruntime: string;
  readonly processor: {
    readonly name: string;
    readonly cores: number;
    /** Cores that this process may use, by affinity and by the container's quota; may have a fraction. */
    readonly usable: number;
    /** Of {@link FEATURES}; undefined where the system does not say. */
    readonly features: readonly string[] | undefined;
  };
  readonly memory: {
    readonly bytes: number;
    /** The container's limit, where there is one. */
    readonly limit: number | undefined;
  };
  /** Version of the NVIDIA driver in the kernel; undefined without one. */
  readonly nvidiaDriver: string | undefined;
}

/** Reads what the system tells; what it does not tell is left out. */
export function machineFacts(): Machine {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const header = (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined)
    ?.header;
  const quota = coresOf(textOf('/sys/fs/cgroup/cpu.max'));
  const bytes = totalmem();
  const limit = process.constrainedMemory();
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: header?.glibcVersionRuntime,
    node: process.versions.node,
    onnxruntime: version,
    processor: {
      name: cpus()[0]?.model.trim() ?? 'unknown',
      cores: cpus().length,
      usable: Math.min(availableParallelism(), quota ?? Infinity),
      features: featuresOf(textOf('/proc/cpuinfo')),
    },
    // Without a limit the kernel tells one that is larger than the memory.
    memory: { bytes, limit: limit > 0 && limit < bytes ? limit : undefined },
    nvidiaDriver: driverOf(textOf('/proc/driver/nvidia/version')),
  };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Other systems have no such file, and what they do not tell is left out.
    return undefined;
  }
}

/** Those of {@link FEATURES} that `/proc/cpuinfo` lists. Pure. */
export function featuresOf(cpuinfo: string | undefined): string[] | undefined {
  const flags = cpuinfo && /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1];
  if (!flags) return undefined;
  const has = new Set(flags.trim().split(/\s+/));
  return FEATURES.filter((feature) => has.has(feature));
}

/** Cores of a `cpu.max` of cgroups, version 2: `quota period`, or `max period` for none. Pure. */
export function coresOf(cpuMax: string | undefined): number | undefined {
  const [quota, period] = (cpuMax ?? '').trim().split(/\s+/).map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

/** The version in `/proc/driver/nvidia/version`: `… Kernel Module  580.82.07  Release Build …`. Pure. */
export function driverOf(text: string | undefined): string | undefined {
  return text && /Kernel Module.*?\s(\d+\.\d+(?:\.\d+)*)\s/.exec(text)?.[1];
}
