/** `sluice webhooks`: looks after endpoints. Each command prints what it did, or JSON. */
import { loadConfig } from './config.ts';
import { webhooksOf } from './deliver.ts';
import { MisconfiguredError } from './errors.ts';
import { parseTime } from './replay-range.ts';
import type { EndpointConfig, WebhooksConfig } from './sinks/webhooks/config.ts';
import type { EndpointStatus } from './sinks/webhooks/endpoint-status.ts';
import type { EndpointPlace } from './sinks/webhooks/queue.ts';
import type { Selection } from './sinks/webhooks/redeliver.ts';
import { didYouMean } from './suggest.ts';

/** An endpoint of a configuration. */
interface Endpoint {
  /** `sink/endpoint`. */
  readonly label: string;
  readonly sink: string;
  readonly name: string;
  readonly sinkConfig: WebhooksConfig;
  readonly config: EndpointConfig;
}

/** Flags of `sluice webhooks redeliver`. */
export interface RedeliverFlags {
  readonly id?: readonly string[];
  readonly failed?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

function endpointsOf(file: string): Endpoint[] {
  const endpoints = webhooksOf(loadConfig(file)).flatMap(({ name: sink, config: sinkConfig }) =>
    Object.entries(sinkConfig.endpoints).map(([name, config]) => ({
      label: `${sink}/${name}`,
      sink,
      name,
      sinkConfig,
      config,
    })),
  );
  if (endpoints.length > 0) return endpoints;
  throw new MisconfiguredError(`${file}: expected a sink of type webhooks, got none`);
}

/** By name, or by `sink/name` where several sinks have one of that name. */
function endpointOf(file: string, wanted: string): Endpoint {
  const all = endpointsOf(file);
  const found = all.filter(({ label, name }) => label === wanted || name === wanted);
  if (found.length === 1) return found[0]!;
  const known = found.length > 1 ? found : all;
  const labels = known.map(({ label }) => label);
  const what = found.length > 1 ? `${wanted}, which several sinks have` : wanted;
  throw new MisconfiguredError(
    `expected an endpoint of ${file}, got ${what}${
      didYouMean(
        wanted,
        all.flatMap(({ label, name }) => [label, name]),
      ) || `; known here: ${labels.slice(0, 20).join(', ')}`
    }`,
  );
}

/** Lends a connection to the Redis of an endpoint; failures are explained. */
async function withPlace<Result>(
  { sink, name, sinkConfig }: Endpoint,
  work: (place: EndpointPlace) => Promise<Result>,
): Promise<Result> {
  const { createRedis } = await import('./sinks/webhooks/redis.ts');
  const redis = createRedis({ url: sinkConfig.redis, at: `sinks.${sink}.redis` });
  try {
    await redis.ready();
    return await work({ redis: redis.client, prefix: sinkConfig.prefix, sink, endpoint: name });
  } catch (error) {
    throw redis.explain(error);
  } finally {
    redis.close();
  }
}

/** `webhooks list`: every endpoint with what it does. */
export async function listWebhooks(file: string, { json }: { readonly json?: boolean }): Promise<string> {
  const { endpointStatus } = await import('./sinks/webhooks/endpoint-status.ts');
  const rows = [];
  for (const endpoint of endpointsOf(file)) {
    const status = await withPlace(endpoint, endpointStatus);
    rows.push({ endpoint: endpoint.label, url: endpoint.config.url, state: stateOf(status), ...status });
  }
  if (json) return JSON.stringify(rows);
  return rows
    .map(({ endpoint, url, state, disabled, counts, last }) =>
      [
        `${endpoint}  ${state}${disabled === undefined ? '' : ` (${disabled})`}  ${url}`,
        `  ${counts.waiting} waiting, ${counts.active} being sent, ${counts.delayed} to be tried again, ${counts.failed} failed, ${counts.delivered} delivered`,
        last ? `  last: ${last.result} in ${last.millis} ms at ${last.at}` : '  last: nothing was sent yet',
      ].join('\n'),
    )
    .join('\n');
}

function stateOf({ disabled, breaker, holdMillis }: EndpointStatus): string {
  if (disabled !== undefined) return 'disabled';
  if (breaker.openings > 0)
    return holdMillis > 0
      ? `failing, tried again in ${Math.ceil(holdMillis / 1000)} s`
      : 'failing, being tried';
  return 'active';
}

/** `webhooks test`: sends an example now; `ok` says whether the endpoint took it. */
export async function testWebhook(
  file: string,
  wanted: string,
  { json }: { readonly json?: boolean },
): Promise<{ readonly text: string; readonly ok: boolean }> {
  const { label, config, sinkConfig } = endpointOf(file, wanted);
  const { sendExample } = await import('./sinks/webhooks/example.ts');
  const { id, answer } = await sendExample(config, sinkConfig);
  const ok = answer.status !== null && answer.status >= 200 && answer.status < 300;
  const millis = Math.round(answer.took);
  if (json)
    return {
      ok,
      text: JSON.stringify({
        endpoint: label,
        id,
        ok,
        status: answer.status,
        millis,
        error: answer.error,
        body: answer.text.slice(0, 1024),
      }),
    };
  const result =
    answer.status === null
      ? `no answer after ${millis} ms: ${answer.error?.code}: ${answer.error?.detail}`
      : `${answer.status} after ${millis} ms`;
  const body = answer.text === '' ? '' : `\n  it says: ${JSON.stringify(answer.text.slice(0, 1024))}`;
  return { ok, text: `${label}: webhook ${id}: ${result}${body}` };
}

/** `webhooks redeliver`: sends decisions again. */
export async function redeliverWebhooks(
  file: string,
  wanted: string,
  flags: RedeliverFlags,
): Promise<string> {
  const endpoint = endpointOf(file, wanted);
  const selection = selectionOf(flags);
  const { redeliver } = await import('./sinks/webhooks/redeliver.ts');
  const dryRun = flags.dryRun ?? false;
  const done = await withPlace(endpoint, (place) => redeliver(place, selection, { dryRun }));
  // Somebody named it, and it is not sent.
  if (done.missing.length > 0) process.exitCode = 1;
  if (flags.json) return JSON.stringify({ endpoint: endpoint.label, dry_run: dryRun, ...done });
  const { ids, missing, underway } = done;
  return [
    `${endpoint.label}: ${ids.length} ${dryRun ? 'would be sent again' : 'sent again'}`,
    ...(dryRun ? ids.slice(0, 100).map((id) => `  ${id}`) : []),
    ...(underway.length > 0 ? [`  ${underway.length} are on their way already`] : []),
    ...missing.map(
      (id) => `  ${id} is not known: it was never queued for this endpoint, or is no longer remembered`,
    ),
  ].join('\n');
}

function selectionOf({ id, failed, since, until }: RedeliverFlags): Selection {
  const given = [id, failed, since].filter((flag) => flag !== undefined).length;
  if (given !== 1 || (until !== undefined && since === undefined))
    throw new MisconfiguredError('expected one of --id, --failed, or --since (with --until if you like)');
  if (id) return { ids: id };
  if (since === undefined) return { failed: true };
  return {
    since: parseTime('--since', since),
    until: until === undefined ? Infinity : parseTime('--until', until),
  };
}

/** `webhooks disable` and `webhooks enable`. */
export async function switchWebhook(file: string, wanted: string, to: 'disable' | 'enable'): Promise<string> {
  const endpoint = endpointOf(file, wanted);
  const { switchEndpoint } = await import('./sinks/webhooks/endpoint-switch.ts');
  const { counts } = await withPlace(endpoint, (place) => switchEndpoint(place, to));
  const waiting = counts.waiting + counts.delayed;
  return to === 'enable'
    ? `${endpoint.label} is enabled: ${waiting} decisions are sent`
    : `${endpoint.label} is disabled: ${waiting} decisions wait, and those that come`;
}

/** `webhooks log`: each attempt to deliver a decision. */
export async function webhookLog(
  file: string,
  wanted: string,
  id: string,
  { json }: { readonly json?: boolean },
): Promise<string> {
  const endpoint = endpointOf(file, wanted);
  const { deliveryLog } = await import('./sinks/webhooks/delivery-log.ts');
  const log = await withPlace(endpoint, (place) => deliveryLog(place, id));
  if (!log)
    throw new MisconfiguredError(
      `expected a decision that ${endpoint.label} was sent, got ${id}: it was never queued for it, or is no longer remembered`,
    );
  if (json) return JSON.stringify(log);
  return [
    `${id} at ${endpoint.label}: ${log.state}, queued ${log.queued}`,
    ...log.attempts.map(
      ({ at, attempt, result, millis, detail }) =>
        `  ${at}  attempt ${attempt}: ${result} in ${millis} ms${detail === undefined ? '' : ` (${detail})`}`,
    ),
  ].join('\n');
}
