import { createEndpointStore } from './endpoint-state.ts';
import { endpointStatus, type EndpointStatus } from './endpoint-status.ts';
import { openQueue, type EndpointPlace } from './queue.ts';

/** Disables an endpoint, for all processes, or enables it again; resolves with what its queue held then. */
export async function switchEndpoint(
  place: EndpointPlace,
  to: 'disable' | 'enable',
): Promise<EndpointStatus> {
  const queue = openQueue(place, { readOnly: true });
  try {
    const store = createEndpointStore(place, queue);
    if (to === 'disable') await store.disable(`disabled by command on ${new Date().toISOString()}`);
    // An enabled endpoint begins to be told at once.
    const status = await endpointStatus(place);
    if (to === 'enable') await store.enable();
    return status;
  } finally {
    await queue.close();
  }
}
