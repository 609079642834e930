import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for something that others bring about: resolves with the first value that is not false or undefined. */
export async function until<Value>(what: string, look: () => Value | false | undefined): Promise<Value> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const value = look();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`expected within a minute: ${what}`);
    await sleep(20);
  }
}
