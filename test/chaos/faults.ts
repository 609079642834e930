import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../src/errors.ts';
import type { Backend } from './backend.ts';
import type { Clock } from './clock.ts';
import type { Fault, PlannedFault, S3Fault } from './plan.ts';
import type { ChaosProducer } from './producer.ts';
import type { Supervisor } from './supervisor.ts';

/** A fault as it happened. Seconds since the run began. */
export interface DoneFault {
  readonly kind: Fault['kind'];
  readonly detail: string;
  readonly from: number;
  readonly to: number;
  /** Why it could not be done as planned. */
  readonly error?: string;
}

/** What faults are done to. */
export interface Targets {
  readonly supervisor: Supervisor;
  readonly backend: Backend;
  readonly producer: ChaosProducer;
  readonly clock: Clock;
  /** Makes a share of the requests to S3 fail, until it is called with undefined. */
  readonly s3: (fault: { readonly kind: S3Fault; readonly share: number } | undefined) => void;
}

/** How a plan is carried out. */
export interface FaultsOptions {
  /** Seconds over which the plan is spread. */
  readonly seconds: number;
  readonly onDone?: (fault: DoneFault) => void;
}

/** Faults of one lane follow each other; lanes run side by side: a member dies while S3 answers 503. */
const LANES: Readonly<Record<Fault['kind'], 'members' | 'zombies' | 's3'>> = {
  kill: 'members',
  crash: 'members',
  'rolling-restart': 'members',
  'add-member': 'members',
  'remove-member': 'members',
  clock: 'zombies',
  zombie: 'zombies',
  broker: 'members',
  s3: 's3',
  's3-fault': 's3',
};

/** Does what the plan says, each at its time or as soon as its lane is free. Resolves when all is done and undone. */
export async function doFaults(
  plan: readonly PlannedFault[],
  targets: Targets,
  { seconds, onDone }: FaultsOptions,
): Promise<DoneFault[]> {
  const started = performance.now();
  const now = () => (performance.now() - started) / 1000;
  const done: DoneFault[] = [];
  const lanes = Map.groupBy(plan, ({ fault }) => LANES[fault.kind]);
  await Promise.all(
    [...lanes.values()].map(async (lane) => {
      for (const { at, fault } of lane) {
        await delay(Math.max(0, (at * seconds - now()) * 1000));
        const from = now();
        const error = await inflict(fault, targets).then(
          () => undefined,
          (failure: unknown) => messageOf(failure),
        );
        const { kind, ...rest } = fault;
        const detail = Object.entries(rest).map(([name, value]) => `${name} ${String(value)}`);
        const outcome = {
          kind,
          detail: detail.join(', '),
          from,
          to: now(),
          ...(error === undefined ? {} : { error }),
        };
        done.push(outcome);
        onDone?.(outcome);
      }
    }),
  );
  return done.toSorted((a, b) => a.from - b.from);
}

async function inflict(fault: Fault, { supervisor, backend, producer, clock, s3 }: Targets): Promise<void> {
  switch (fault.kind) {
    case 'kill':
      return supervisor.kill(fault.member);
    case 'crash':
      return supervisor.crash(fault.points);
    case 'zombie':
      return supervisor.zombie(fault.member);
    case 'rolling-restart':
      return supervisor.rollingRestart();
    case 'add-member':
      return supervisor.add();
    case 'remove-member':
      return supervisor.remove();
    case 'broker':
      // What the producer wrote must be known for certain, so it waits; the members do not.
      await producer.hold();
      try {
        await outage('kafka');
      } finally {
        producer.release();
      }
      return;
    case 's3':
      return outage('s3');
    case 's3-fault':
      s3({ kind: fault.fault, share: fault.share });
      await delay(fault.seconds * 1000);
      s3(undefined);
      return;
    case 'clock':
      await supervisor.restart(fault.member, clock.env);
      for (const jump of [fault.jump, -fault.jump, 0]) {
        await delay(2500);
        clock.set(jump);
      }
      return;
  }

  async function outage(name: 'kafka' | 's3'): Promise<void> {
    const { signal, seconds } = fault as Extract<Fault, { kind: 'broker' | 's3' }>;
    await backend.stop(name, signal);
    await delay(seconds * 1000);
    await backend.start(name);
  }
}
