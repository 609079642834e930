import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';
import type { DeliveryEvents } from './sinks/webhooks/delivery-events.ts';

/** What events.ts lends: names in the Elastic Common Schema, and how often a line was held back since the last one. */
export interface EventTools {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly named: (action: string, fields?: object) => object;
  /** Undefined when the line must be silent this time. */
  readonly sinceLast: (what: string) => string | undefined;
}

/** The events of webhook deliveries: log lines and counts, as events.ts has them. */
export function createWebhookEvents({ log, metrics, named, sinceLast }: EventTools): DeliveryEvents {
  return {
    started: (fields) =>
      log.info(named('webhooks-started', fields), `sending webhooks to ${fields.endpoints} endpoints`),
    stopped: () => log.info(named('webhooks-stopped'), 'stopped sending webhooks'),
    attempted(fields) {
      const { endpoint, ids, outcome, result, millis, lag } = fields;
      metrics.webhookAttempts.inc({ endpoint, outcome });
      metrics.webhookSeconds.observe({ endpoint }, millis / 1000);
      if (outcome === 'delivered') {
        metrics.webhookDelivered.inc({ endpoint }, ids.length);
        metrics.webhookLag.observe({ endpoint }, Math.max(0, lag) / 1000);
        if (log.isLevelEnabled('debug'))
          log.debug(named('webhook-delivered', fields), `webhook to ${endpoint}: ${result} in ${millis} ms`);
        return;
      }
      const others = sinceLast(`webhook ${endpoint}`);
      if (others === undefined) return;
      log.warn(named('webhook-failed', fields), `webhook to ${endpoint} ${outcome}: ${result}${others}`);
    },
    exhausted(fields) {
      const { endpoint, id, attempts, result } = fields;
      metrics.webhookExhausted.inc({ endpoint });
      log.error(
        named('webhook-exhausted', fields),
        `decision ${id} was not delivered to ${endpoint} in ${attempts} attempts (the last one: ${result}); \`sluice webhooks redeliver\` sends it again`,
      );
    },
    disabled(fields) {
      const { endpoint, why } = fields;
      metrics.webhookDisabled.set({ endpoint }, 1);
      log.error(
        named('webhook-disabled', fields),
        `endpoint ${endpoint} is disabled: it ${why}; its decisions wait until \`sluice webhooks enable\``,
      );
    },
    breakerOpened(fields) {
      const { endpoint, millis, result } = fields;
      metrics.webhookBreakerOpen.set({ endpoint }, 1);
      log.warn(
        named('webhook-breaker-opened', fields),
        `endpoint ${endpoint} is left alone for ${millis / 1000} s, its last result was ${result}`,
      );
    },
    breakerClosed(fields) {
      metrics.webhookBreakerOpen.set({ endpoint: fields.endpoint }, 0);
      log.info(named('webhook-breaker-closed', fields), `endpoint ${fields.endpoint} works again`);
    },
    lockLost(fields) {
      metrics.webhookLocksLost.inc({ endpoint: fields.endpoint });
      log.debug(
        named('webhook-lock-lost', fields),
        `decision ${fields.id} may be sent to ${fields.endpoint} again: its lock ran out`,
      );
    },
    queueFailed(fields) {
      const others = sinceLast(`webhook queue ${fields.sink}`);
      if (others === undefined) return;
      log.warn(
        named('webhook-queue-failed', fields),
        `sink ${fields.sink}: Redis does not answer, webhooks wait: ${fields.error}${others}`,
      );
    },
    measured({ endpoint, disabled, open, waiting, active, delayed, failed, oldest }) {
      for (const [state, count] of Object.entries({ waiting, active, delayed, failed }))
        metrics.webhookQueue.set({ endpoint, state }, count);
      metrics.webhookOldest.set({ endpoint }, oldest / 1000);
      metrics.webhookDisabled.set({ endpoint }, disabled ? 1 : 0);
      metrics.webhookBreakerOpen.set({ endpoint }, open ? 1 : 0);
    },
  };
}
