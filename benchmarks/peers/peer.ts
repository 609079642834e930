import type { Bucket } from '../harness/bucket.ts';
import type { RowIdentity } from '../harness/count-rows.ts';
import type { Servers } from '../harness/servers.ts';
import type { Command } from '../../scripts/services/service.ts';

/** The work of one sample: the whole topic into the bucket, one folder for each customer, date and hour. */
export interface Job {
  readonly servers: Servers;
  readonly topic: string;
  /** Messages in the topic. */
  readonly messages: number;
  /** Consumer group, which nobody used before. */
  readonly group: string;
  readonly bucket: Bucket;
  /** Empty directory for configuration, logs and scratch files; a restart after a kill finds it as it was left. */
  readonly directory: string;
  /** Rows after which files are written, where the peer can be told so. */
  readonly flushRows: number;
}

/** Where a peer was installed, and the versions of what its figures depend on. */
export interface Installed {
  readonly directory: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Another way to do Sluice's job (and Sluice itself). To add one: its folder here, and its line in index.ts. */
export interface Peer {
  readonly name: string;
  readonly title: string;
  /** Finds or installs it, once per machine, outside the checkout. Throws OperationalError when it cannot be had. */
  install(): Promise<Installed>;
  /** Writes what it needs into the job's directory, before its first start. */
  prepare?(job: Job, installed: Installed): Promise<void>;
  command(job: Job, installed: Installed): Command;
  /**
   * For one that never ends by itself: whether all work is done, asked a few times a second; then it is stopped. Default:
   * it ends by itself with exit code 0.
   */
  isDone?(job: Job, installed: Installed): Promise<boolean>;
  /** Files that readers would read. Default: all objects whose name ends in `.parquet`. */
  files?(job: Job, installed: Installed): Promise<readonly string[]>;
  /** How its rows name their message. */
  readonly identity?: RowIdentity;
}

/** The job as environment variables, for programs of ours. */
export function environmentOf(job: Job): Record<string, string> {
  return {
    // An empty AWS_PROFILE is no profile for some clients, and the name of one for botocore.
    ...Object.fromEntries(Object.entries(job.servers.environment).filter(([, value]) => value !== '')),
    BENCH_BROKER: job.servers.broker,
    BENCH_TOPIC: job.topic,
    BENCH_GROUP: job.group,
    BENCH_ENDPOINT: job.servers.endpoint,
    BENCH_BUCKET: job.bucket.name,
    BENCH_FLUSH_ROWS: String(job.flushRows),
  };
}
