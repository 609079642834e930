import { miniLm } from '../models/minilm.ts';
import type { OpenStage } from './stage.ts';

/** A stage or a limit as the suites list it. */
export interface StageEntry {
  readonly title: string;
  readonly unit: string;
  /** Services that it needs beside nothing. */
  readonly services?: readonly string[];
  /** Loads its code; done in its own process only. */
  open(): Promise<OpenStage>;
}

const classify = (model: () => Promise<string>, texts: number) => async (): Promise<OpenStage> => {
  const { openClassify } = await import('./classify.ts');
  return async () => openClassify(await model(), texts);
};
const sessionRun = (model: () => Promise<string>, texts: number) => async (): Promise<OpenStage> => {
  const { openSessionRun } = await import('./session-run.ts');
  return async () => openSessionRun(await model(), texts);
};
const bundled = () => Promise.resolve('default');
const none = () => Promise.resolve('drop');

/** Sluice's stages, each alone and on one thread where it runs on one. */
export const STAGES: Readonly<Record<string, StageEntry>> = {
  consume: {
    title: 'Kafka source: fetch, unpack, cut into batches',
    unit: 'messages',
    services: ['kafka'],
    open: async () => (await import('./consume.ts')).open,
  },
  lines: {
    title: 'file source: cut lines into batches',
    unit: 'messages',
    open: async () => (await import('./lines.ts')).open,
  },
  decode: {
    title: 'decode JSON to columns',
    unit: 'messages',
    open: async () => (await import('./decode.ts')).open,
  },
  tokenise: {
    title: 'tokenise (bundled model)',
    unit: 'texts',
    open: async () => (await import('./tokenise.ts')).open,
  },
  'classify-drop': { title: 'classify, no model', unit: 'texts', open: classify(none, 50_000) },
  'classify-default': { title: 'classify, bundled model', unit: 'texts', open: classify(bundled, 2048) },
  'classify-minilm': {
    title: 'classify, model of the size of MiniLM-L6',
    unit: 'texts',
    open: classify(miniLm, 256),
  },
  slices: {
    title: 'shard, and write columns (three labels)',
    unit: 'rows',
    open: async () => (await import('./slices.ts')).open,
  },
  parquet: {
    title: 'merge and encode a Parquet file, zstd (three labels)',
    unit: 'rows',
    open: async () => (await import('./parquet.ts')).open,
  },
  store: {
    title: 'S3 store: a flush of 64 files of 1 MiB',
    unit: 'files',
    services: ['s3'],
    open: async () => (await import('./store.ts')).open,
  },
  webhook: {
    title: 'webhooks: Redis, signature, request (receiver included)',
    unit: 'decisions',
    services: ['redis'],
    open: async () => (await import('./webhook.ts')).open,
  },
};

/** What bounds a stage from below: the least that any program would do. */
export const LIMITS: Readonly<Record<string, StageEntry>> = {
  'json-parse': {
    title: '`JSON.parse` of every message, nothing else',
    unit: 'messages',
    open: async () => (await import('./json-parse.ts')).open,
  },
  zstd: {
    title: 'zstd level 1 of the messages, nothing else',
    unit: 'messages',
    open: async () => (await import('./zstd.ts')).open,
  },
  's3-put': {
    title: 'PutObject of 64 files of 1 MiB, nothing else',
    unit: 'files',
    services: ['s3'],
    open: async () => (await import('./s3-put.ts')).open,
  },
  'run-default': {
    title: '`session.run` alone, bundled model',
    unit: 'texts',
    open: sessionRun(bundled, 2048),
  },
  'run-minilm': {
    title: '`session.run` alone, model of the size of MiniLM-L6',
    unit: 'texts',
    open: sessionRun(miniLm, 256),
  },
};
