import { planApi, type ApiPlan } from './api-plan.ts';
import { createBatchingProducer, createDecisionWaits, serveApi } from './api/index.ts';
import { loadConfig, type Config } from './config.ts';
import { errorOf, isOperational } from './errors.ts';
import { createEvents, type Events } from './events.ts';
import { openKafkaTail } from './ingest/index.ts';
import { aborted, patiently, within } from './lifecycle.ts';
import { startServer } from './server.ts';
import { onStopSignal } from './signals.ts';
import { createTopicWriter } from './topic-writer.ts';

/** `sluice api CONFIG`: serves the HTTP API until SIGTERM or SIGINT, then answers what is under way. */
export async function api(file: string): Promise<void> {
  const config = loadConfig(file);
  const events = createEvents(config.log.level);
  const stopping = new AbortController();
  const off = onStopSignal((signal) => {
    events.stopRequested(signal);
    stopping.abort();
  });
  try {
    await serve(config, events, stopping);
  } catch (error) {
    events.apiFailed(errorOf(error), isOperational(error));
    throw error;
  } finally {
    off();
  }
}

/** For `sluice check`: tries what the `api` section names; yields one line for each thing that works. */
export async function* checkApi(config: Config): AsyncGenerator<string> {
  if (!config.api) return;
  const plan = planApi(config);
  for (const topic of topicsOf(plan)) {
    await checkTopic(plan, topic);
    yield `${topic.at}: topic ${topic.topic} is there`;
  }
}

async function serve(config: Config, events: Events, stopping: AbortController): Promise<void> {
  const plan = planApi(config);
  const { api: settings, kafka, decisionsTopic } = plan;
  let failure: { readonly error: unknown } | undefined;
  let isServing = false;
  const metrics =
    settings.metrics_listen === 'off'
      ? undefined
      : await startServer({
          listen: settings.metrics_listen,
          at: 'api.metrics_listen',
          metrics: events.metrics,
          refresh: () => undefined,
          unready() {
            if (!isServing || stopping.signal.aborted) return 'starting or stopping';
            return (producer.failure() ?? tail?.failure())?.message;
          },
        });
  if (metrics) events.serverStarted(metrics.address);
  const waits = decisionsTopic === undefined ? undefined : createDecisionWaits();
  const tail =
    waits &&
    openKafkaTail({
      kafka,
      topic: decisionsTopic!,
      onBatch: (batch) => waits.arrived(batch),
      onRetrying: (operation, error) => events.apiRetried({ operation, error: error.message }),
      onFailed(error) {
        failure ??= { error };
        stopping.abort();
      },
    });
  const producer = createBatchingProducer({
    kafka,
    timeout: settings.produce_timeout,
    onFailure: (error) => events.apiRetried({ operation: 'produce', error: error.message }),
  });
  try {
    const checkTopics = async () => {
      for (const topic of topicsOf(plan)) await checkTopic(plan, topic);
    };
    await patiently(checkTopics, {
      signal: stopping.signal,
      onDelay: (error) => events.startDelayed(error),
    });
    // Before the first request is taken, so that its decision cannot have gone by.
    await tail?.start();
    const listener = await serveApi({
      config: settings,
      contentTopic: plan.contentTopic,
      shape: plan.shape,
      feedbackTopic: plan.feedbackTopic,
      producer,
      waits,
      examine: plan.examine,
      onServed: (served) => events.apiServed(served),
      onBug: (error) => events.apiFailed(error, false),
      onInFlight: (requests) => events.metrics.apiInFlight.set(requests),
      onWaiting: (requests) => events.metrics.apiWaiting.set(requests),
    });
    isServing = true;
    const { contentTopic: content, feedbackTopic: feedback, decisionsTopic: decisions } = plan;
    events.apiStarted({ address: listener.address, content, feedback, decisions });
    await aborted(stopping.signal);
    await within(config.stop_timeout, listener.drain());
    await listener.close();
  } catch (error) {
    // Stopped before it began.
    if (!stopping.signal.aborted) failure ??= { error };
  } finally {
    tail?.close();
    await Promise.all([producer.close(), metrics?.close()]);
  }
  if (failure) throw failure.error;
  events.apiStopped();
}

/** The topics that must be there, with the keys that name them. */
function topicsOf({ contentTopic, feedbackTopic, decisionsTopic }: ApiPlan) {
  return [
    { topic: contentTopic, at: 'api.topic' },
    ...(feedbackTopic === undefined ? [] : [{ topic: feedbackTopic, at: 'feedback.topic' }]),
    ...(decisionsTopic === undefined ? [] : [{ topic: decisionsTopic, at: 'sinks' }]),
  ];
}

async function checkTopic(
  { kafka }: ApiPlan,
  topic: { readonly topic: string; readonly at: string },
): Promise<void> {
  const writer = createTopicWriter({ ...topic, kafka });
  try {
    await writer.check();
  } finally {
    await writer.close();
  }
}
