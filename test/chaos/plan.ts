import { Random } from '../../benchmarks/content/random.ts';
import { CRASH_POINTS, type CrashPoint } from '../../src/archive/crash.ts';

/** How S3 misbehaves while it runs. */
export const S3_FAULTS = ['error-500', 'slow-down', 'slow', 'reset', 'answer-lost'] as const;

/** One of {@link S3_FAULTS}. */
export type S3Fault = (typeof S3_FAULTS)[number];

/** What is done to the members of the group and to their services. Seconds say how long it lasts. */
export type Fault =
  | { readonly kind: 'kill'; readonly member: number }
  /** Members are restarted so that they kill themselves at these points, one restart a point. */
  | { readonly kind: 'crash'; readonly points: readonly CrashPoint[] }
  /** Stopped past its session, then it goes on. */
  | { readonly kind: 'zombie'; readonly member: number }
  | { readonly kind: 'rolling-restart' }
  | { readonly kind: 'add-member' }
  | { readonly kind: 'remove-member' }
  | { readonly kind: 'broker'; readonly signal: 'SIGTERM' | 'SIGKILL'; readonly seconds: number }
  | { readonly kind: 's3'; readonly signal: 'SIGTERM' | 'SIGKILL'; readonly seconds: number }
  | { readonly kind: 's3-fault'; readonly fault: S3Fault; readonly share: number; readonly seconds: number }
  /** The wall clock of a member jumps by so many seconds, and later back. */
  | { readonly kind: 'clock'; readonly member: number; readonly jump: number };

/** A fault and its moment: a share of the run, 0 to 1. */
export interface PlannedFault {
  readonly at: number;
  readonly fault: Fault;
}

/** How much of each. Kills at named points are part of `kills`. */
export interface PlanOptions {
  readonly seed: number;
  readonly members: number;
  /** Kills by `kill -9`, at random moments; every crash point comes on top. */
  readonly kills: number;
  readonly zombies: number;
  readonly rollingRestarts: number;
  /** Pairs of a member added and one removed later. */
  readonly membersAdded: number;
  readonly brokerRestarts: number;
  readonly s3Restarts: number;
  readonly s3Faults: number;
  readonly clockJumps: number;
}

/**
 * The points, in the order in which restarts take them: a recovery has something to publish only after a member died
 * between its commit and its last publish.
 */
export function crashChain(members: number): CrashPoint[] {
  const committed: CrashPoint[] = ['after-commit', 'before-publish', 'after-publish'];
  const recovery = Array.from({ length: members }, (): CrashPoint => 'during-recovery');
  const others = CRASH_POINTS.filter((point) => !committed.includes(point) && point !== 'during-recovery');
  return [...committed, ...recovery, ...others];
}

/** Draws the faults of a run, in order of time. The same options give the same plan, always. */
export function planFaults(options: PlanOptions): PlannedFault[] {
  const random = new Random(options.seed);
  const times = (count: number, make: (index: number) => Fault): Fault[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const member = () => random.integer(options.members);
  const signal = (index: number) => (index % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
  const single: Fault[] = [
    ...times(options.kills, () => ({ kind: 'kill', member: member() })),
    ...times(options.zombies, () => ({ kind: 'zombie', member: member() })),
    ...times(options.rollingRestarts, () => ({ kind: 'rolling-restart' })),
    ...times(options.brokerRestarts, (index) => ({
      kind: 'broker',
      signal: signal(index),
      seconds: 1 + random.integer(3),
    })),
    ...times(options.s3Restarts, (index) => ({
      kind: 's3',
      signal: signal(index + 1),
      seconds: 2 + random.integer(6),
    })),
    ...times(options.s3Faults, (index) => ({
      kind: 's3-fault',
      fault: S3_FAULTS[index % S3_FAULTS.length]!,
      share: 0.1 + random.next() * 0.5,
      seconds: 2 + random.integer(5),
    })),
    ...times(options.clockJumps, (index) => ({
      kind: 'clock',
      member: member(),
      jump: (index % 2 === 0 ? 1 : -1) * (60 + random.integer(6 * 3600)),
    })),
  ];
  const shuffled = shuffle(single, random);
  // A member is removed after one was added, never before, so that there are always enough.
  for (let index = 0; index < options.membersAdded; index++) {
    const added = random.integer(shuffled.length + 1);
    shuffled.splice(added, 0, { kind: 'add-member' });
    shuffled.splice(added + 1 + random.integer(shuffled.length - added), 0, { kind: 'remove-member' });
  }
  shuffled.unshift({ kind: 'crash', points: crashChain(options.members) });
  return shuffled.map((fault, index) => ({ at: (index + random.next() * 0.8) / shuffled.length, fault }));
}

function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const left = [...items];
  return items.map(() => left.splice(random.integer(left.length), 1)[0]!);
}
