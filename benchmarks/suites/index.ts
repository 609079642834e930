import type { Suite, SuiteOptions } from '../harness/sample.ts';
import { openClassify } from './classify.ts';
import { openKill } from './kill.ts';
import { openLatency } from './latency.ts';
import { openLimits } from './limits.ts';
import { openPeers } from './peers.ts';
import { openPipeline } from './pipeline.ts';
import { openScale } from './scale.ts';
import { openSoak } from './soak.ts';
import { openStage } from './stage.ts';

/** What a suite is, beside its measurements. */
export interface SuiteEntry {
  /** Heading of its table. */
  readonly title: string;
  /** One sentence below the heading. */
  readonly about: string;
  readonly rounds: number;
  open(options: SuiteOptions): Promise<Suite>;
}

/** All suites, in the order in which they run and are written. */
export const SUITES: Readonly<Record<string, SuiteEntry>> = {
  peers: {
    title: 'Beside what else one would use',
    about:
      'A topic of 300-byte messages (zstd, 4 partitions, 50 customers, two hours) to Parquet on S3 in folders by customer, date and hour, from start to exit. Every row is counted: nobody lost or doubled one here.',
    rounds: 5,
    open: openPeers,
  },
  kill: {
    title: 'What a kill -9 in the middle costs',
    about:
      'The same job, killed once at 40 to 80 per cent of its usual time and started again. Worst of the rounds.',
    rounds: 3,
    open: openKill,
  },
  pipeline: {
    title: 'The whole pipeline',
    about: 'Kafka to Parquet on S3 by Sluice; each row changes one thing of the first.',
    rounds: 5,
    open: openPipeline,
  },
  scale: {
    title: 'One process and two',
    about: 'The same job by processes of one consumer group, and the memory of many customers.',
    rounds: 5,
    open: openScale,
  },
  soak: {
    title: 'Half an hour of many customers',
    about: 'Steady traffic, no model: memory at its peak, and whether it still grows.',
    rounds: 1,
    open: openSoak,
  },
  latency: {
    title: 'From message to webhook',
    about: 'Percentiles in milliseconds; `more` has the share of each stage.',
    rounds: 5,
    open: openLatency,
  },
  stage: {
    title: 'Stages alone',
    about: 'Each in a process of its own, without the others; CPU per million counts all of its threads.',
    rounds: 5,
    open: openStage,
  },
  classify: {
    title: 'The classify stage against what bounds it',
    about:
      'Ratios, each of two things measured by turns in one process: `more` has them. CPU per million is that of the whole.',
    rounds: 3,
    open: openClassify,
  },
  limits: {
    title: 'Limits',
    about: 'What no pipeline on this machine can beat: compare with the stage of the same unit.',
    rounds: 5,
    open: openLimits,
  },
};
