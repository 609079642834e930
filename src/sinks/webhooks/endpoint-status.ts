import type { Queue } from 'bullmq';
import type { Decision } from '../../decision.ts';
import type { EndpointCounts } from './delivery-events.ts';
import { createEndpointStore, type EndpointState, type EndpointStore } from './endpoint-state.ts';
import { openQueue, type EndpointPlace } from './queue.ts';

/** What an endpoint is doing. */
export interface EndpointStatus extends EndpointState {
  readonly counts: EndpointCounts;
  /** Milliseconds for which it is still left alone; 0 when it is not. */
  readonly holdMillis: number;
}

/** Reads an endpoint's state and how much its queue holds, by a queue that is open. */
export async function readStatus(
  store: EndpointStore,
  queue: Queue<Decision, unknown>,
): Promise<EndpointStatus> {
  const [state, counts, [oldest], limiter] = await Promise.all([
    store.read(),
    queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed'),
    queue.getJobs(['waiting'], 0, 0, true),
    queue.getRateLimitTtl(Number.MAX_SAFE_INTEGER),
  ]);
  return {
    ...state,
    holdMillis: Math.max(0, limiter),
    counts: {
      waiting: counts['waiting'] ?? 0,
      active: counts['active'] ?? 0,
      delayed: counts['delayed'] ?? 0,
      failed: counts['failed'] ?? 0,
      delivered: counts['completed'] ?? 0,
      oldest: oldest ? Math.max(0, Date.now() - oldest.timestamp) : 0,
    },
  };
}

/** {@link readStatus} once, for a command. */
export async function endpointStatus(place: EndpointPlace): Promise<EndpointStatus> {
  const queue = openQueue(place, { readOnly: true });
  try {
    return await readStatus(createEndpointStore(place, queue), queue);
  } finally {
    await queue.close();
  }
}
