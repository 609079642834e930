import { Random } from '../../benchmarks/content/random.ts';
import type { Fault as ProxyFault } from '../services/faulty-s3.ts';
import type { S3Fault } from './plan.ts';

/** The rule of the proxy that lets a share of the requests, drawn by the seed, meet the fault. */
export function s3Rule(
  { kind, share }: { readonly kind: S3Fault; readonly share: number },
  seed: number,
): () => ProxyFault | undefined {
  const random = new Random(seed);
  return () => (random.chance(share) ? FAULTS[kind](random) : undefined);
}

const FAULTS: Readonly<Record<S3Fault, (random: Random) => ProxyFault>> = {
  'error-500': () => ({ status: 500, code: 'InternalError', message: 'Please try again.' }),
  'slow-down': () => ({ status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' }),
  slow: (random) => ({ delay: 200 + random.integer(2000) }),
  reset: () => ({ cut: 'before' }),
  'answer-lost': () => ({ cut: 'after' }),
};
