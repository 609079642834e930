import type { SliceInput } from '../../src/archive/content-slices.ts';
import { encodeSlices } from '../../src/archive/content-slices.ts';
import { encodeFile, type EncodedFile } from '../../src/archive/encode.ts';
import { ACTIONS, type ScoredBatch } from '../../src/types.ts';

/** A row as a test states it. */
export interface TestRow {
  readonly customer: string;
  readonly contentId: string;
  readonly userId: string | null;
  readonly text: string;
  readonly contentType: string | null;
  readonly language: string | null;
  /** µs UTC */
  readonly createdAt: number;
  readonly action: number;
  readonly reasons: readonly string[] | null;
  readonly metadata: readonly (readonly [string, string])[] | null;
  /** One per label, NaN for none. */
  readonly scores: readonly number[];
  /** Models that scored it; absent: those of the batch. */
  readonly model?: string | null | undefined;
  /** What shadow models say: [model, action] pairs, [`model/label`, score] pairs. */
  readonly shadow?: {
    readonly actions: readonly (readonly [string, string])[];
    readonly scores: readonly (readonly [string, number])[];
  } | null;
}

/** A row with plain values, those given replaced. */
export function rowOf(values: Partial<TestRow> = {}): TestRow {
  return {
    customer: 'acme',
    contentId: 'post-1',
    userId: 'user-1',
    text: 'hello',
    contentType: 'post',
    language: 'en',
    createdAt: Date.UTC(2026, 0, 1) * 1000,
    action: 0,
    reasons: null,
    metadata: null,
    scores: [],
    ...values,
  };
}

/** A batch as a test states it. */
export interface TestBatch {
  readonly rows: readonly TestRow[];
  readonly labels?: readonly string[];
  readonly topic?: string;
  readonly partition?: number;
  readonly first?: number;
  readonly model?: string | null | undefined;
  readonly poison?: readonly number[];
  readonly partitionBy?: SliceInput['partitionBy'];
}

/** The batch as it comes from the decoder and the classifier. */
export function inputOf(batch: TestBatch): SliceInput {
  const { rows, labels = [], topic = 'content', partition = 0, first = 0 } = batch;
  const column = <Key extends keyof TestRow>(key: Key) => rows.map((row) => row[key]);
  return {
    raw: {
      topic,
      partition,
      offsets: Float64Array.from(rows, (_, i) => first + i),
      receivedAt: Date.UTC(2026, 0, 2),
    },
    decoded: {
      rows: rows.length,
      index: Int32Array.from(rows, (_, i) => i),
      contentId: column('contentId'),
      customer: column('customer'),
      text: column('text'),
      userId: column('userId'),
      contentType: column('contentType'),
      language: column('language'),
      createdAt: Float64Array.from(column('createdAt')),
      metadata: rows.map(({ metadata }) => metadata && metadata.flat()),
      deadLetters: [],
      skipped: {},
    },
    verdicts: {
      labels,
      scores: Float32Array.from(rows.flatMap(({ scores }) => labels.map((_, i) => scores[i] ?? NaN))),
      actions: Uint8Array.from(column('action')),
      reasons: rows.map(({ reasons }) => reasons && [...reasons]),
      thresholds: rows.map(({ reasons }) => reasons && reasons.map(() => 0.5)),
      language: column('language'),
      model: batch.model ?? null,
      ...(rows.some(({ model }) => model !== undefined)
        ? { models: rows.map(({ model }) => (model === undefined ? (batch.model ?? null) : model)) }
        : {}),
      ...(rows.some(({ shadow }) => shadow)
        ? {
            shadow: {
              actions: rows.map(({ shadow }) => shadow?.actions.flat() ?? null),
              scores: rows.map(({ shadow }) =>
                shadow
                  ? {
                      keys: shadow.scores.map(([key]) => key),
                      values: Float32Array.from(shadow.scores, ([, value]) => value),
                    }
                  : null,
              ),
            },
          }
        : {}),
      policy: 'default@1',
      poison: (batch.poison ?? []).map((row) => ({ row, detail: 'test' })),
      seconds: { language: 0, tokenise: 0, infer: 0, policy: 0 },
      tokens: 0,
      padding: 0,
    },
    decidedAt: Date.UTC(2026, 0, 2, 0, 0, 1),
    partitionBy: batch.partitionBy ?? ['customer', 'day'],
  };
}

/** The batch as it comes back from a worker. */
export function scoredOf(batch: TestBatch, more: Partial<ScoredBatch> = {}): ScoredBatch {
  const { topic = 'content', partition = 0, first = 0, rows } = batch;
  const { arena, shards, rows: count, tally } = encodeSlices(inputOf(batch));
  return {
    topic,
    partition,
    rows: count,
    first,
    next: first + rows.length,
    arena,
    shards,
    tally,
    deadLetters: [],
    skipped: {},
    seconds: {},
    tokens: 0,
    padding: 0,
    ...more,
  };
}

/** What a reader of the file should see of a row, text as UTF-8 has it. */
export function expectedRow(
  batch: TestBatch,
  index: number,
  labels: readonly string[],
): Record<string, unknown> {
  const row = batch.rows[index]!;
  const { topic = 'content', partition = 0, first = 0 } = batch;
  const own = batch.labels ?? [];
  const utf8 = (text: string | null) => text && text.toWellFormed();
  const score = (label: string) => {
    const value = own.includes(label) ? Math.fround(row.scores[own.indexOf(label)] ?? NaN) : NaN;
    return Number.isNaN(value) ? null : Math.fround(Math.round(value * 1e4) / 1e4);
  };
  return {
    id: `${utf8(topic)}-${partition}-${first + index}`,
    customer: utf8(row.customer),
    content_id: utf8(row.contentId),
    user_id: utf8(row.userId),
    content: utf8(row.text),
    content_type: utf8(row.contentType),
    language: utf8(row.language),
    created_at: row.createdAt,
    received_at: Date.UTC(2026, 0, 2) * 1000,
    decided_at: Date.UTC(2026, 0, 2, 0, 0, 1) * 1000,
    action: ACTIONS[row.action],
    reasons: row.reasons && row.reasons.map(utf8),
    scores: labels.length > 0 ? Object.fromEntries(labels.map((label) => [label, score(label)])) : undefined,
    model: utf8(row.model === undefined ? (batch.model ?? null) : row.model),
    policy: 'default@1',
    metadata: row.metadata && row.metadata.map(([key, value]) => [utf8(key), utf8(value)]),
    topic: utf8(topic),
    partition,
    offset: first + index,
    shadow_actions: row.shadow ? row.shadow.actions.map(([key, value]) => [utf8(key), value]) : null,
    shadow_scores: row.shadow
      ? row.shadow.scores.map(([key, value]) => [
          utf8(key),
          Math.fround(Math.round(Math.fround(value) * 1e4) / 1e4),
        ])
      : null,
  };
}

/** A content file with one row, which a model scored for the label `hate`. */
export function scoredFile(): Promise<EncodedFile> {
  const { arena } = encodeSlices(inputOf({ rows: [rowOf({ scores: [1] })], labels: ['hate'], model: 'm@1' }));
  return encodeFile({
    table: 'content',
    chunks: [arena],
    customer: 'acme',
    rowGroupRows: 10,
    compression: 'zstd',
    transaction: 't',
    version: '0',
  });
}
