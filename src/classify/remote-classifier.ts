import { limiter, mapBounded } from '../concurrency.ts';
import { MisconfiguredError, UnavailableError, messageOf } from '../errors.ts';
import { sigmoid, softmax } from './activation.ts';
import { planBatches, type Batch } from './batching.ts';
import type { Classifier, Scores } from './classifier.ts';
import { distinctTexts, firstNotFinite, spreadScores } from './distinct.ts';
import type { RemoteConfig } from './remote-config.ts';
import { RefusedError } from './remote-http.ts';
import type { RemoteModel, RemoteScores, RemoteTexts } from './remote-model.ts';
import { createPatience, type PatienceOptions } from './remote-patience.ts';

/** What a request may hold in tokens, about: some hundred kB of text, which servers take as one body. */
const MOST_TOKENS = 65_536;
/** Texts that are sorted by length together. */
const WINDOW = 1024;
/** A text that every model scores: a server that refuses this one too is at fault itself. */
const CONTROL = 'warm-up';

/** Milliseconds after which the server is asked again which model it has, without any failure: it may have been started anew. */
const VERIFY_EVERY = 30_000;

/**
 * A classifier whose model a server runs. Equal texts of one call are sent once, empty ones never: those stay unscored. A text that
 * the server refuses by itself, while it answers a plain one, is poison; everything else that fails is tried again until the server has
 * answered nothing for `patience` milliseconds, or the call has taken `limit`; then it rejects with UnavailableError, nothing of it
 * scored. Opening it scores a plain text.
 */
export async function createRemoteClassifier(
  model: RemoteModel,
  config: Pick<RemoteConfig, 'concurrency'>,
  options: PatienceOptions,
): Promise<Classifier> {
  const width = model.labels.length;
  const inTurn = limiter(config.concurrency);
  let verifiedAt = performance.now();

  async function score(texts: readonly string[]): Promise<Scores> {
    const started = performance.now();
    const patience = createPatience(options);
    const { distinct, of } = distinctTexts(texts);
    const scores = new Float32Array(distinct.length * width).fill(NaN);
    const reasons = new Map<number, string>();
    let tokens = 0;
    let padding = 0;
    let answered = 0;
    let isQuiet = false;

    function keep({ rows }: Batch, found: RemoteScores): void {
      tokens += found.tokens;
      padding += found.padding;
      activate(model, found.values);
      rows.forEach((row, i) => {
        const wrong = firstNotFinite(found.values, i * width, width);
        if (wrong < 0) scores.set(found.values.subarray(i * width, (i + 1) * width), row * width);
        else reasons.set(row, `the server gave no number for ${model.labels[wrong]!}`);
      });
    }

    const server: Asked = {
      async ask(prepared, batch) {
        try {
          return await inTurn(() => prepared.ask(batch, patience.signal));
        } catch (error) {
          if (error instanceof UnavailableError) isQuiet = true;
          throw error;
        } finally {
          // A refusal is an answer, too.
          if (!isQuiet) patience.answered();
        }
      },
      scored(batch, found) {
        answered += batch.rows.length;
        keep(batch, found);
      },
      refused(row, detail) {
        answered++;
        reasons.set(row, detail);
      },
      control: () => askControl(model, patience.signal),
    };
    const prepared = await model.prepare(distinct);
    const preparedAt = performance.now();
    try {
      if (performance.now() - verifiedAt > VERIFY_EVERY) {
        await model.verify(patience.signal);
        verifiedAt = performance.now();
      }
      await mapBounded(requestsOf(prepared, model.mostTexts), config.concurrency, (batch) =>
        askHalving(prepared, batch, server),
      );
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      // Another server may answer at the same address.
      verifiedAt = -Infinity;
      if (!patience.isSpent() || answered === 0) throw error;
      const took = `${answered} of ${distinct.length} texts within ${options.limit / 1000} s`;
      const advice = 'raise classify.time_limit, or lower batch_messages of the source';
      throw new UnavailableError(`${model.where}: ${took}: ${advice}`, { cause: error });
    } finally {
      patience.end();
    }
    const seconds = {
      tokenise: (preparedAt - started) / 1000,
      infer: (performance.now() - preparedAt) / 1000,
    };
    return { ...spreadScores(of, { scores, reasons }, width), tokens, padding, counts: {}, seconds };
  }

  await checkControl(model, options.patience);
  const { labels, id, thresholds, languageThresholds, languages } = model;
  return {
    labels,
    model: id,
    thresholds,
    languageThresholds,
    languages,
    runsOn: model.where,
    score,
    close: () => model.close(),
  };
}

function activate({ activation, labels }: RemoteModel, values: Float32Array): void {
  if (activation === 'sigmoid') sigmoid(values);
  else if (activation === 'softmax') softmax(values, labels.length);
}

/** Texts of about one length go together, at most `most`, so that the server pads little. */
function requestsOf({ lengths }: RemoteTexts, most: number): Batch[] {
  return planBatches(lengths, { budget: MOST_TOKENS, window: WINDOW }).flatMap(({ rows }) => {
    const requests: Batch[] = [];
    for (let start = 0; start < rows.length; start += most) {
      const part = rows.subarray(start, start + most);
      requests.push({ rows: part, longest: lengths[part.at(-1)!]! });
    }
    return requests;
  });
}

interface Asked {
  ask(texts: RemoteTexts, batch: Batch): Promise<RemoteScores>;
  scored(batch: Batch, found: RemoteScores): void;
  refused(row: number, detail: string): void;
  control(): Promise<unknown>;
}

/** Asks for a batch; when the server refuses it, for its halves, until the text that it refuses is alone. */
async function askHalving(texts: RemoteTexts, batch: Batch, server: Asked): Promise<void> {
  let found: RemoteScores;
  try {
    found = await server.ask(texts, batch);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    const { rows } = batch;
    if (rows.length > 1) {
      const middle = rows.length >> 1;
      for (const half of [rows.subarray(0, middle), rows.subarray(middle)])
        await askHalving(texts, { rows: half, longest: texts.lengths[half.at(-1)!]! }, server);
      return;
    }
    await server.control().catch((refused: unknown) => {
      if (!(refused instanceof RefusedError)) throw refused;
      throw new UnavailableError(`${messageOf(refused)}, also for a plain text`, { cause: refused });
    });
    server.refused(rows[0]!, `the server refused it: status ${error.status}`);
    return;
  }
  server.scored(batch, found);
}

async function askControl(model: RemoteModel, signal: AbortSignal): Promise<RemoteScores> {
  const texts = await model.prepare([CONTROL]);
  return await texts.ask({ rows: Int32Array.of(0), longest: texts.lengths[0]! }, signal);
}

async function checkControl(model: RemoteModel, patience: number): Promise<void> {
  let values: Float32Array;
  try {
    ({ values } = await askControl(model, AbortSignal.timeout(patience)));
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    throw new MisconfiguredError(`expected scores for a plain text, got ${error.message}`);
  }
  const { where, activation } = model;
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined)
    throw new MisconfiguredError(`${where}: expected numbers for a plain text, got ${wrong}`);
  const outside = values.find((value) => activation === 'none' && (value < 0 || value > 1));
  if (outside !== undefined)
    throw new MisconfiguredError(
      `${where}: expected probabilities from 0 to 1, got ${outside.toFixed(2)}: set activation to sigmoid or softmax`,
    );
}
