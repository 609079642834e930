import { setTimeout as delay } from 'node:timers/promises';
import { CRASH_POINTS, type CrashPoint } from '../../src/archive/crash.ts';
import { startMember, tail, type MemberExit, type MemberProcess } from './member.ts';

/** What a supervisor keeps running. */
export interface SupervisorOptions {
  readonly members: number;
  readonly config: string;
  readonly logs: string;
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds after which the group has forgotten a member that is silent. */
  readonly sessionTimeout: number;
  /** Points that the first starts are armed with. */
  readonly arms?: readonly CrashPoint[];
  /** Milliseconds before a member that ended is started again. */
  readonly restartDelay?: number;
  /** See MemberOptions; not for processes whose clock is moved, which need a file for it. */
  readonly diskFull?: boolean;
  readonly onExit?: (exit: MemberExit) => void;
}

/** Counts of what happened. */
export interface SupervisorCounts {
  /** Processes that ended by SIGKILL, at named points or at random moments. */
  kills: number;
  zombies: number;
  starts: number;
  /** Log lines by `event.action`. */
  readonly events: Record<string, number>;
  /** Deaths by the crash point that was asked for. */
  readonly crashes: Partial<Record<CrashPoint, number>>;
}

/** Longest wait for a process to end after SIGTERM, milliseconds; its own limit for the last flush is below. */
const STOP_LIMIT = 60_000;

interface Slot {
  readonly name: string;
  current: MemberProcess;
  /** Whether the init system starts it again when it ends. */
  wanted: boolean;
  /** Someone else waits for its end, or has stopped it. */
  busy: boolean;
  env: Readonly<Record<string, string>>;
}

/** Keeps the members of one group running, as an init system would, and does to them what a plan says. */
export interface Supervisor {
  readonly counts: SupervisorCounts;
  /** Ends that nobody asked for, and those that were asked for by SIGTERM and did not come. */
  readonly surprises: readonly MemberExit[];
  /** Processes that run now. */
  processes(): readonly MemberProcess[];
  /** Resolves with the processes as soon as every member has an assignment; rejects when that takes too long. */
  up(limit?: number): Promise<readonly MemberProcess[]>;
  kill(member: number): Promise<void>;
  /** Stops a member until its session is over and goes on with it. */
  zombie(member: number): Promise<void>;
  /** Restarts members armed with these points, one after the other, until each point has killed one since the start. */
  crash(points: readonly CrashPoint[], limit?: number): Promise<void>;
  /** SIGTERM one after the other, each started again before the next. */
  rollingRestart(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Restarts one member by SIGTERM with another environment. */
  restart(member: number, env: Readonly<Record<string, string>>): Promise<void>;
  add(): void;
  remove(): Promise<void>;
  /** SIGTERM to all, no restarts any more; resolves with how they ended. */
  terminate(): Promise<MemberExit[]>;
  /** SIGKILL to all, for clean-up. */
  abandon(): Promise<void>;
}

/** Starts the members. */
export function superviseMembers(options: SupervisorOptions): Supervisor {
  const { config, logs, sessionTimeout, restartDelay = 200, diskFull = false } = options;
  const slots: Slot[] = [];
  const surprises: MemberExit[] = [];
  const counts: SupervisorCounts = { kills: 0, zombies: 0, starts: 0, events: {}, crashes: {} };
  /** Points that the next starts are armed with. */
  const arms: CrashPoint[] = [...(options.arms ?? [])];
  const expected = new WeakSet<MemberProcess>();
  const hung = new WeakSet<MemberProcess>();
  let crashing = false;
  let named = 0;

  function launch(name: string, env: Readonly<Record<string, string>>): MemberProcess {
    counts.starts++;
    return startMember({
      name,
      config,
      logs,
      env: { ...options.env, ...env },
      crashAt: arms.shift(),
      diskFull: diskFull && !('LD_PRELOAD' in env),
      onEvent: (action) => (counts.events[action] = (counts.events[action] ?? 0) + 1),
    });
  }

  async function watch(slot: Slot): Promise<void> {
    while (slot.wanted) {
      const { current } = slot;
      const exit = await current.exited;
      options.onExit?.(exit);
      const killed = exit.signal === 'SIGKILL';
      if (killed) counts.kills++;
      const point = CRASH_POINTS.find((name) => killed && name === exit.crashAt);
      if (hung.has(current)) surprises.push(exit);
      else if (point && !expected.has(current)) counts.crashes[point] = (counts.crashes[point] ?? 0) + 1;
      else if (!expected.has(current)) surprises.push(exit);
      // It never came so far as to pass a point: the next one takes it along.
      if (exit.crashAt && !point && !exit.up && crashing) arms.unshift(exit.crashAt as CrashPoint);
      await delay(restartDelay);
      if (slot.wanted) slot.current = launch(slot.name, slot.env);
    }
  }

  function add(): void {
    const name = `member-${named++}`;
    const slot: Slot = { name, current: launch(name, {}), wanted: true, busy: false, env: {} };
    slots.push(slot);
    void watch(slot);
  }

  /** The member, or another one that nobody else is busy with; waits for one that runs. */
  async function pick(member: number): Promise<Slot> {
    for (;;) {
      const free = slots.filter(({ busy, current }) => !busy && current.running());
      const slot = free[member % Math.max(free.length, 1)];
      if (slot) return slot;
      await delay(20);
    }
  }

  async function end(slot: Slot, signal: NodeJS.Signals): Promise<MemberExit> {
    const { current } = slot;
    expected.add(current);
    current.signal(signal);
    const timer = setTimeout(() => {
      // A process that does not end when it is asked to is a finding, and must not hold up the run.
      hung.add(current);
      current.signal('SIGKILL');
    }, STOP_LIMIT);
    const exit = await current.exited;
    clearTimeout(timer);
    return exit;
  }

  async function whenRestarted(slot: Slot, before: MemberProcess): Promise<void> {
    while (slot.wanted && slot.current === before) await delay(20);
  }

  async function restart(slot: Slot, env = slot.env): Promise<void> {
    const before = slot.current;
    slot.env = env;
    slot.busy = true;
    await end(slot, 'SIGTERM');
    await whenRestarted(slot, before);
    slot.busy = false;
  }

  for (let index = 0; index < options.members; index++) add();

  return {
    counts,
    surprises,
    processes: () => slots.map(({ current }) => current).filter((process) => process.running()),

    async up(limit = 90_000) {
      const deadline = performance.now() + limit;
      for (;;) {
        const missing = slots.find(({ current }) => !current.up());
        if (!missing) break;
        if (performance.now() > deadline) {
          throw new Error(
            `expected ${missing.name} to have an assignment within ${limit / 1000} s; the end of ${missing.current.log}:\n${tail(missing.current.log)}`,
          );
        }
        await delay(20);
      }
      return slots.map(({ current }) => current);
    },

    async kill(member) {
      await end(await pick(member), 'SIGKILL');
    },

    async zombie(member) {
      for (;;) {
        const slot = await pick(member);
        const { current } = slot;
        // It must own something, and must not have died meanwhile.
        if (current.up() && current.signal('SIGSTOP')) {
          slot.busy = true;
          await delay(sessionTimeout * 1.5);
          slot.busy = false;
          if (!current.signal('SIGCONT')) continue;
          counts.zombies++;
          return;
        }
        await delay(20);
      }
    },

    async crash(points, limit = 240_000) {
      const missing = () => [...new Set(points)].filter((point) => !counts.crashes[point]);
      const waits = ({ current }: Slot) =>
        current.running() && missing().some((point) => point === current.crashAt);
      const deadline = performance.now() + limit;
      crashing = true;
      arms.push(...points.filter((point) => !slots.some(({ current }) => current.crashAt === point)));
      while (missing().length > 0) {
        if (performance.now() > deadline) {
          arms.length = 0;
          crashing = false;
          throw new Error(
            `expected each of ${points.join(', ')} to kill a member within ${limit / 1000} s; not passed: ${missing().join(', ')}`,
          );
        }
        // Each death takes the next point along; this restarts those that wait for nothing.
        arms.splice(0, arms.length, ...arms.filter((point) => missing().includes(point)));
        if (arms.length === 0 && !slots.some(waits)) arms.push(...again(missing(), slots.length));
        const idle = slots.find((slot) => !slot.busy && slot.current.up() && !waits(slot));
        if (arms.length > 0 && idle) await restart(idle);
        else await delay(50);
      }
      arms.length = 0;
      crashing = false;
    },

    async rollingRestart(env) {
      for (const slot of slots) {
        await restart(slot, env);
        await Promise.race([
          slot.current.logged('assignment-recovered').catch(() => undefined),
          delay(sessionTimeout * 2),
        ]);
      }
    },

    restart: async (member, env) => restart(await pick(member), env),

    add,

    async remove() {
      const slot = await pick(slots.length - 1);
      slot.wanted = false;
      slot.busy = true;
      slots.splice(slots.indexOf(slot), 1);
      await end(slot, 'SIGTERM');
    },

    async terminate() {
      for (const slot of slots) slot.wanted = false;
      const running = slots.filter(({ current }) => current.running());
      return Promise.all(running.map((slot) => end(slot, 'SIGTERM')));
    },

    async abandon() {
      for (const slot of slots) slot.wanted = false;
      await Promise.all(slots.map((slot) => end(slot, 'SIGKILL')));
    },
  };
}

/** Points that no member has passed, once more: a recovery needs a transaction that was committed and not published. */
function again(missing: readonly CrashPoint[], members: number): CrashPoint[] {
  const rest = missing.filter((point) => point !== 'during-recovery');
  if (rest.length === missing.length) return rest;
  return ['after-commit', ...Array.from({ length: members }, (): CrashPoint => 'during-recovery'), ...rest];
}
