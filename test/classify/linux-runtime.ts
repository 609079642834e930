import type { RuntimeFacts } from '../../src/classify/provider.ts';

/** The runtime's package on Linux x64; `has` says whether a library of its folder is there. */
export function linuxRuntime(has: RuntimeFacts['has']): RuntimeFacts {
  return {
    platform: 'linux',
    arch: 'x64',
    backends: ['cpu', 'webgpu', 'cuda', 'tensorrt'],
    folder: '/ort',
    install: 'ONNXRUNTIME_NODE_INSTALL=cuda12 node /ort/script/install.js',
    has,
  };
}
