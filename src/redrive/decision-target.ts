import { openFanOut } from '../adapters.ts';
import type { Config } from '../config.ts';
import type { Decision } from '../decision.ts';
import type { Events } from '../events.ts';
import { createFanOut, type FanOut } from '../sinks/index.ts';
import { ACTIONS } from '../types.ts';
import { persistently } from './patience.ts';
import type { OpenTarget } from './target.ts';

/**
 * The configured sinks as a target: a decision goes to the one that refused it, whatever that one's filter says by now. A sink that
 * does not answer is asked again until it does, or `signal` is aborted.
 */
export function createDecisionTarget(
  config: Config,
  events: Events,
  signal: AbortSignal,
): OpenTarget<{ readonly sink: string; readonly decision: Decision }> {
  const opened = new Map<string, Promise<FanOut>>();

  async function openOne(name: string): Promise<FanOut> {
    const {
      branches: [branch],
    } = await openFanOut({ ...config, sinks: { [name]: config.sinks[name]! } }, events);
    await persistently(() => branch!.sink.check());
    const fanOut = createFanOut({
      branches: [{ ...branch!, filters: [{ actions: ACTIONS }] }],
      timeout: config.sink_timeout,
      onRetry: (retry) => events.deliveryRetried(retry),
    });
    signal.addEventListener('abort', () => fanOut.abandon(), { once: true });
    return fanOut;
  }

  return {
    async send(planned) {
      const refusals = new Map<number, string>();
      const indexed = planned.map((each, index) => ({ ...each, index }));
      for (const [sink, group] of Map.groupBy(indexed, (each) => each.sink)) {
        const fanOut = opened.get(sink) ?? openOne(sink);
        opened.set(sink, fanOut);
        const indexes = new Map(group.map(({ decision, index }) => [decision.id, index]));
        const refused = await (await fanOut).deliver(group.map(({ decision }) => decision));
        for (const { decision, code, detail } of refused)
          refusals.set(indexes.get(decision.id)!, `${code}: ${detail}`);
      }
      return refusals;
    },
    async close() {
      for (const fanOut of opened.values()) await (await fanOut.catch(() => undefined))?.close();
    },
  };
}
