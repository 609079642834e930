import type { Config } from './config.ts';
import type { Events } from './events.ts';
import type { PartitionLag } from './ports.ts';
import { startServer, type Server } from './server.ts';

/** What a running pipeline shows of itself. */
export interface Shown {
  lag(): readonly PartitionLag[];
  /** Bytes. */
  buffered(): number;
  inFlight(): number;
  /** What has to be asked for: the queues of webhooks. */
  measure(): Promise<void>;
  /** Why it is not ready; undefined when it is. */
  unready(): string | undefined;
}

/** /metrics, /live and /ready of a pipeline; undefined where they are off. */
export async function startPipelineServer(
  { server: { listen }, archive }: Config,
  events: Events,
  shown: Shown,
): Promise<Server | undefined> {
  if (listen === 'off') return undefined;
  const { metrics } = events;
  metrics.budgetBytes.set(archive.memory);
  const server = await startServer({
    listen,
    metrics,
    refresh() {
      events.lagged(shown.lag());
      metrics.bufferedBytes.set(shown.buffered());
      metrics.inFlightBytes.set(shown.inFlight());
      return shown.measure();
    },
    unready: () => shown.unready(),
  });
  events.serverStarted(server.address);
  return server;
}
