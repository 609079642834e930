import { move, transferableSymbol, valueSymbol } from 'piscina';
import * as errors from '../errors.ts';

/** An error as it crosses threads: structured clone alone would drop the name of a class. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** What a worker answers. An error thrown by a task is a value, so that a rejection can only mean a dead worker. */
export type Answer<T> = { readonly value: T } | { readonly error: ErrorRecord };

/**
 * Wraps a function as a worker task for createPool. Errors keep their name and message across threads; `buffers` names the memory of the result that moves to the main thread (it must not be
 * used by the worker afterwards).
 */
export function task<Payload, Result>(
  run: (payload: Payload) => Result | Promise<Result>,
  buffers: (result: Result) => readonly ArrayBufferLike[] = () => [],
): (payload: Payload) => Promise<unknown> {
  return async (payload) => {
    let value: Result;
    let transfer: ArrayBuffer[];
    try {
      value = await run(payload);
      transfer = movable(buffers(value));
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return {
        error: { name: error.name, message: error.message, stack: error.stack },
      } satisfies Answer<Result>;
    }
    const answer: Answer<Result> = { value };
    return move({ [transferableSymbol]: transfer, [valueSymbol]: answer });
  };
}

/** Each buffer once, and none that is empty: a shared empty buffer can be moved only once in its life. */
function movable(buffers: readonly ArrayBufferLike[]): ArrayBuffer[] {
  return [...new Set(buffers)].filter(
    (buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer && buffer.byteLength > 0,
  );
}

/** The error that a task threw, with its class from errors.ts, else an Error of the same name. */
export function restoreError({ name, message, stack }: ErrorRecord): Error {
  const Kind = Object.entries(errors).find(([exported]) => exported === name)?.[1];
  const error =
    Kind !== undefined && isErrorClass(Kind)
      ? new Kind(message)
      : Object.assign(new Error(message), { name });
  if (stack !== undefined) error.stack = stack;
  return error;
}

function isErrorClass(value: unknown): value is new (message: string) => Error {
  return typeof value === 'function' && value.prototype instanceof Error;
}
