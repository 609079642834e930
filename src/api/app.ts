import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import type { Decision } from '../decision.ts';
import { isOperational } from '../errors.ts';
import { RecordTooLargeError } from '../kafka-producer.ts';
import { FEEDBACK_KINDS } from '../types.ts';
import { contentAnswer } from './answer.ts';
import type { BatchingProducer, OutRecord } from './batching-producer.ts';
import { readBody, type JsonObject } from './body.ts';
import type { ApiConfig } from './config.ts';
import { trackContent, type ContentShape } from './content.ts';
import type { DecisionWaits } from './decision-waits.ts';
import { trackFeedback } from './feedback.ts';
import { errorBody, HttpRefusal } from './http-refusal.ts';
import { createKeys } from './keys.ts';
import { openApi } from './openapi.ts';
import { createPlaces } from './places.ts';
import { ClientGoneError, readBytes } from './read-bytes.ts';
import { parseWait, waitOf } from './wait.ts';

/** One request that was answered, for the access log and metrics. */
export interface Served {
  readonly method: string;
  /** Path of the route, `(none)` where there is none: what clients make up is not logged. */
  readonly route: string;
  /** 499 where the client went away before the answer. */
  readonly status: number;
  readonly customer: string | undefined;
  /** Address of the client, or of the proxy before it. */
  readonly client: string | undefined;
  readonly seconds: number;
  /** What the client was told is wrong. */
  readonly reasons: readonly string[] | undefined;
  /** What became of a wait for a decision; `full`: there was no room to wait. */
  readonly wait: 'decided' | 'late' | 'full' | undefined;
}

/** What the decoder would make of a record: a row of that customer, or a dead letter. */
export type Examine = (
  record: OutRecord,
) => { readonly kind: 'row'; readonly customer: string } | { readonly kind: 'dead'; readonly detail: string };

/** What {@link createApp} is made of. */
export interface AppOptions {
  readonly config: ApiConfig;
  readonly contentTopic: string;
  readonly shape: ContentShape;
  /** Without it there are no routes for feedback. */
  readonly feedbackTopic: string | undefined;
  readonly producer: Pick<BatchingProducer, 'write'>;
  /** Without it nothing is waited for. */
  readonly waits: Pick<DecisionWaits, 'wait'> | undefined;
  readonly examine: Readonly<Record<'content' | 'feedback', Examine>>;
  readonly onServed: (served: Served) => void;
  /** A bug: the request was answered 500. */
  readonly onBug: (error: Error) => void;
  /** Requests that are read or written now. */
  readonly onInFlight: (requests: number) => void;
  /** Requests that wait for a decision now. */
  readonly onWaiting: (requests: number) => void;
  /** Why no request is taken now; undefined when they are. */
  readonly unavailable: () => string | undefined;
}

/** What the routes of {@link createApp} know of a request. */
export interface ApiEnv {
  Bindings: HttpBindings;
  Variables: Partial<Pick<Served, 'customer' | 'wait' | 'reasons'>> & { isGone?: boolean };
}

/**
 * Stores what a request brings. What is left is its answer, for which it may wait; that holds nothing of the body, as many more
 * may wait than are read.
 */
type Track = (
  body: JsonObject,
  customer: string,
  context: Context<ApiEnv>,
) => Promise<() => object | Promise<object>>;

/** Seconds after which a client that was answered 503 may come again. */
const RETRY_AFTER = { 'retry-after': '1' };

/** The routes of the HTTP API. Every answer is JSON; docs/api.md has them all. */
export function createApp(options: AppOptions): Hono<ApiEnv> {
  const { config, producer, waits, examine } = options;
  const keys = createKeys(config.keys);
  const routes = new Set(['/openapi.json']);
  const app = new Hono<ApiEnv>();
  const customers = Object.keys(config.keys).length;
  const share = customers > 1 ? config.customer_share : 1;
  const places = createPlaces({ size: config.max_in_flight, share, onTaken: options.onInFlight });
  const seats = createPlaces({ size: config.max_waits, share, onTaken: options.onWaiting });

  app.use(async (context, next) => {
    const started = performance.now();
    await next();
    // Kept open, a connection would go on bringing requests.
    if (options.unavailable() !== undefined) context.header('connection', 'close');
    const { path, method } = context.req;
    options.onServed({
      method,
      route: routes.has(path) ? path : '(none)',
      status: context.get('isGone') ? 499 : context.res.status,
      seconds: (performance.now() - started) / 1000,
      customer: context.get('customer'),
      client: context.env.incoming.socket.remoteAddress,
      reasons: context.get('reasons'),
      wait: context.get('wait'),
    });
  });

  /** Takes requests to `path` whose key is somebody's, one of those that there is room for. */
  function route(path: string, track: Track): void {
    routes.add(path);
    app.post(path, async (context) => {
      const authorization = context.req.header('authorization');
      const customer = keys.customerOf(authorization);
      if (customer === undefined)
        throw new HttpRefusal(
          401,
          [authorization === undefined ? 'Header Authorization was not present.' : 'The key is not known.'],
          { 'www-authenticate': 'Bearer' },
        );
      context.set('customer', customer);
      const reason = options.unavailable();
      if (reason !== undefined) throw new HttpRefusal(503, [reason], RETRY_AFTER);
      const answer = await stored(track, customer, context);
      return context.json(await answer());
    });
    app.all(path, () => {
      throw new HttpRefusal(405, ['The method was not POST.'], { allow: 'POST' });
    });
  }

  async function stored(track: Track, customer: string, context: Context<ApiEnv>) {
    const outcome = places.take(customer);
    if (outcome === 'full') throw new HttpRefusal(503, ['Too many requests are under way.'], RETRY_AFTER);
    if (outcome === 'over_share')
      throw new HttpRefusal(
        429,
        ['Too many requests with keys of this customer are under way.'],
        RETRY_AFTER,
      );
    try {
      const bytes = await readBytes(context.env.incoming, config.max_body);
      return await track(readBody(bytes), customer, context);
    } finally {
      places.giveBack(customer);
    }
  }

  async function write(records: readonly OutRecord[], examined: Examine, customer: string) {
    for (const record of records) {
      const found = examined(record);
      if (found.kind === 'dead') throw new HttpRefusal(422, [`${found.detail}.`]);
      // By fields that the configuration gives another meaning.
      if (found.customer !== customer)
        throw new HttpRefusal(403, ['The body named another customer than that of the key.']);
    }
    try {
      return await producer.write(records);
    } catch (error) {
      if (error instanceof RecordTooLargeError)
        throw new HttpRefusal(413, ['The body was longer than the brokers take.']);
      if (!isOperational(error)) throw error;
      throw new HttpRefusal(503, ['It is not known to be stored; send it again.'], RETRY_AFTER);
    }
  }

  route('/track/content', async (body, customer, context) => {
    const { contentTopic: topic, shape } = options;
    const wanted = context.req.query('wait');
    const asked = wanted === undefined ? undefined : parseWait(wanted);
    if (wanted !== undefined && asked === undefined)
      throw new HttpRefusal(400, [
        'Parameter wait was not a time in s or ms, such as 2s, 500ms or 2000 (ms).',
      ]);
    const begun = performance.now();
    const { id, record, classifiers } = trackContent(body, { customer, topic, shape });
    const limit = waitOf({
      asked,
      classifiers: classifiers !== undefined,
      usual: config.wait,
      longest: waits ? config.max_wait : 0,
    });
    const [at] = await write([record], examine.content, customer);
    const decisionId = at && `${at.topic}-${at.partition}-${at.offset}`;
    const answer = (decision?: Decision) => contentAnswer(id, { decisionId, classifiers, decision });
    if (!waits || limit === 0 || decisionId === undefined) return answer;
    return async () => {
      const left = limit - (performance.now() - begun);
      const { signal } = context.req.raw;
      const isSeated = seats.take(customer) === 'taken';
      try {
        const decision = await waits.wait(decisionId, isSeated ? left : 0, signal);
        if (signal.aborted) throw new ClientGoneError('nobody waits any more');
        context.set('wait', decision ? 'decided' : isSeated ? 'late' : 'full');
        return answer(decision);
      } finally {
        if (isSeated) seats.giveBack(customer);
      }
    };
  });

  for (const kind of options.feedbackTopic === undefined ? [] : FEEDBACK_KINDS) {
    const topic = options.feedbackTopic!;
    route(`/track/${kind}`, async (body, customer) => {
      const { id, records } = trackFeedback(kind, body, { customer, topic });
      await write(records, examine.feedback, customer);
      return () => ({ id });
    });
  }

  const document = openApi();
  app.get('/openapi.json', (context) => context.json(document));
  app.notFound((context) => refuse(context, new HttpRefusal(404, ['There is nothing at this path.'])));

  app.onError((error, context) => {
    if (error instanceof HttpRefusal) return refuse(context, error);
    if (error instanceof ClientGoneError) context.set('isGone', true);
    else options.onBug(error);
    return context.json(errorBody(['The server failed.']), 500);
  });
  return app;
}

function refuse(context: Context<ApiEnv>, { status, reasons, headers }: HttpRefusal): Response {
  context.set('reasons', reasons);
  return context.json(errorBody(reasons), status, { ...headers });
}
