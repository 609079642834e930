import { RetryableError } from '../errors.ts';

/**
 * As `work`, but RetryableError after `limit` milliseconds; `late` is called when the work ends after that, however it does.
 */
export function withinLimit<Value>(
  limit: number,
  work: Promise<Value>,
  late: () => Promise<void>,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new RetryableError(`expected an answer within ${limit} ms, got none`));
      work.then(late, late).catch(() => undefined);
    }, limit);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
