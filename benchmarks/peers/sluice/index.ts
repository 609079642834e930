import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { productVersions } from '../../harness/machine.ts';
import type { Job, Peer } from '../peer.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Settings of Sluice that a measurement changes. */
export interface SluiceOptions {
  /** Model folder, or `drop`. */
  readonly model: string;
  readonly compression?: 'zstd' | 'snappy' | 'none';
  /** Whether it ends at the topic's present end (default), or runs until it is stopped. */
  readonly untilEnd?: boolean;
  /** Further settings, joined on the top level of the configuration. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Sluice as a user starts it: `sluice run FILE --until-end`. */
export function createSluice(options: SluiceOptions = { model: 'drop' }): Peer {
  return {
    name: 'sluice',
    title: options.model === 'drop' ? 'Sluice, no model' : 'Sluice',
    install: () => Promise.resolve({ directory: ROOT, versions: productVersions() }),
    prepare(job) {
      writeFileSync(join(job.directory, 'sluice.yaml'), stringify(sluiceConfig(job, options)));
      return Promise.resolve();
    },
    command(job) {
      const args = [join(ROOT, 'bin/sluice.js'), 'run', join(job.directory, 'sluice.yaml')];
      if (options.untilEnd ?? true) args.push('--until-end');
      return { program: process.execPath, args, env: { ...job.servers.environment } };
    },
  };
}

/** The configuration of a job. */
export function sluiceConfig(job: Job, { model, compression = 'zstd', more = {} }: SluiceOptions) {
  return {
    name: job.group,
    kafka: { brokers: [job.servers.broker] },
    source: { type: 'kafka', topics: [job.topic] },
    // The texts of the benchmark repeat more often than real ones.
    classify: { model, duplicates: 'off', language: model === 'drop' ? 'off' : 'detect' },
    archive: {
      store: { type: 's3', bucket: job.bucket.name, endpoint: job.servers.endpoint, path_style: true },
      partition_by: ['customer', 'day', 'hour'],
      compression,
      rotate: { rows: job.flushRows },
    },
    log: { level: 'warn' },
    ...more,
  };
}
