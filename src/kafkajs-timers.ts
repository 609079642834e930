import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  readonly prototype: RequestQueue;
};
const original: { readonly schedule: (this: RequestQueue) => void } = {
  schedule: Reflect.get(prototype, 'scheduleCheckPendingRequests'),
};

/**
 * Keeps kafkajs 2.2.4 from setting a timer with a negative time after every response, of which Node warns on standard error:
 * there is nothing to look for when no request waits. Idempotent.
 */
export function quietTimers(): void {
  prototype.scheduleCheckPendingRequests = function schedule(this: RequestQueue) {
    if (this.pending.length > 0) original.schedule.call(this);
  };
}
