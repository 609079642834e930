import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '../errors.ts';
import type { Partition } from '../types.ts';
import { assignPartitions } from './assign-partitions.ts';
import { createBackoff } from './backoff.ts';
import { decodeAssignment, decodeTopics, encodeAssignment, encodeTopics } from './group-encoding.ts';
import { send, type Broker, type Cluster } from './kafkajs-cluster.ts';
import { codeOf, isFenced, isMoved, kafkaError } from './kafkajs-errors.ts';
import { findCoordinator, findPartitions, isSame } from './kafkajs-lookups.ts';
import type { Subscription } from './subscription.ts';

/** What {@link createMember} needs; durations in milliseconds. */
export interface MemberOptions {
  /** Connections that nothing else uses: joining keeps one busy until all members have joined. */
  readonly cluster: Cluster;
  /** Connections for leaving while a join is under way. */
  readonly others: Cluster;
  readonly groupId: string;
  readonly subscription: Subscription;
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
  readonly heartbeatInterval: number;
  /** How often topics and partition counts are looked at. */
  readonly metadataMaxAge: number;
  /** A generation began. */
  readonly onAssigned: (generation: Generation, partitions: readonly Partition[]) => void;
  /** A generation is about to end; it is held until this resolves, at most for `limit`. */
  readonly onRevoked: (generation: Generation, limit: number) => Promise<void>;
  readonly onLost: (generation: Generation) => void;
  readonly onRetrying: (operation: string, error: Error) => void;
}

/** One membership of a group, between two rebalances. */
export interface Generation {
  /** Counts the generations of this client from 1. */
  readonly token: number;
  readonly generationId: number;
  readonly memberId: string;
  /** Whether commits are possible as far as is known here; the broker knows better. */
  alive: boolean;
}

/** A member of a consumer group by Kafka's classic protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup). */
export interface Member {
  /** Stays in the group until `leave`; rejects with the first error that no further attempt mends. */
  run(): Promise<void>;
  /** A request to the coordinator of the group. Throws what kafkajs throws; `onSend` is called when it may reach the broker. */
  request<Response>(
    name: string,
    payload: object,
    keepErrors?: boolean,
    onSend?: () => void,
  ): Promise<Response>;
  /** The coordinator is to be looked for again. */
  forgetCoordinator(): void;
  /** The next rebalance ends membership. */
  stop(): void;
  /** Leaves the group at once. */
  leave(): Promise<void>;
}

/** What the group looked like when a generation began. */
interface Membership extends Generation {
  readonly partitions: readonly Partition[];
  readonly topics: readonly string[];
  readonly isLeader: boolean;
}

interface JoinResponse {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5000;
/** Part of the rebalance time-out that a flush may take; the rest is for the way to the broker and back. */
const REVOKE_SHARE = 0.8;

/** Makes a member; `run` joins. */
export function createMember(options: MemberOptions): Member {
  const { cluster, groupId, subscription, heartbeatInterval } = options;
  const ending = new AbortController();
  let stopping = false;
  let tokens = 0;
  let memberId = '';
  let current: Membership | undefined;
  let coordinator: Broker | undefined;

  const isOver = () => stopping || ending.signal.aborted;

  async function request<Response>(
    name: string,
    payload: object,
    keepErrors = false,
    onSend?: () => void,
  ): Promise<Response> {
    coordinator ??= await findCoordinator(cluster, groupId);
    onSend?.();
    try {
      return await send<Response>(coordinator, name, { groupId, ...payload }, { keepErrors });
    } catch (error) {
      if (isMoved(error)) coordinator = undefined;
      throw error;
    }
  }

  async function joinGroup(topics: readonly string[]): Promise<JoinResponse> {
    const ask = () =>
      request<JoinResponse>('JoinGroup', {
        memberId,
        sessionTimeout: options.sessionTimeout,
        rebalanceTimeout: options.rebalanceTimeout,
        protocolType: 'consumer',
        groupProtocols: [{ name: 'roundrobin', metadata: encodeTopics(topics) }],
      });
    try {
      return await ask();
    } catch (error) {
      // The broker gives the id first, so that a member whose join got lost is known when it tries again (KIP-394).
      if (codeOf(error) !== 'MEMBER_ID_REQUIRED') throw error;
      memberId = Reflect.get(error as Error, 'memberId') as string;
      return ask();
    }
  }

  async function join(): Promise<Membership> {
    const known = await findPartitions(cluster, subscription);
    const topics = [...new Set(known.map(({ topic }) => topic))];
    const { generationId, leaderId, members, ...joined } = await joinGroup(topics);
    ({ memberId } = joined);
    const isLeader = leaderId === memberId;
    const partitions = isLeader ? await findPartitions(cluster, subscription) : known;
    const { memberAssignment } = await request<{ readonly memberAssignment: Buffer }>('SyncGroup', {
      generationId,
      memberId,
      groupAssignment: isLeader ? dealOut(members, partitions) : [],
    });
    const membership = { token: ++tokens, generationId, memberId, alive: true, partitions, topics, isLeader };
    current = membership;
    options.onAssigned(membership, decodeAssignment(memberAssignment));
    return membership;
  }

  /** One heartbeat; whether the group wants to be joined again. Throws when the member is not in the generation. */
  async function heartbeat({ generationId, memberId: id }: Generation): Promise<boolean> {
    try {
      await request('Heartbeat', { groupGenerationId: generationId, memberId: id });
      return false;
    } catch (error) {
      if (codeOf(error) === 'REBALANCE_IN_PROGRESS') return true;
      if (isFenced(error)) throw error;
      // However long this lasts: whether the session is over is for the broker to say.
      retrying('heartbeat', error);
      return false;
    }
  }

  /** Only the leader looks at partitions, and each member at the topics that it subscribes to, as Kafka's own clients do. */
  async function hasChanged({ isLeader, partitions, topics }: Membership): Promise<boolean> {
    let found: readonly Partition[];
    try {
      found = await findPartitions(cluster, subscription);
    } catch (error) {
      retrying('metadata', error);
      return false;
    }
    const now = new Set(found.map(({ topic }) => topic));
    if (now.size !== topics.length || topics.some((topic) => !now.has(topic))) return true;
    const isKnown = (each: Partition) => partitions.some((other) => isSame(each, other));
    return isLeader && (found.length !== partitions.length || !found.every(isKnown));
  }

  /** Heartbeats until the generation must end. Throws when it is over already. */
  async function live(membership: Membership): Promise<void> {
    let looked = performance.now();
    while (!ending.signal.aborted) {
      await pause(heartbeatInterval);
      if (ending.signal.aborted || (await heartbeat(membership))) return;
      if (stopping || performance.now() - looked < options.metadataMaxAge) continue;
      looked = performance.now();
      if (await hasChanged(membership)) return;
    }
  }

  /** Holds the rejoin for the last flush, with heartbeats, so that the session lasts. */
  async function revoke(membership: Membership): Promise<void> {
    const limit = Math.max(0, options.rebalanceTimeout * REVOKE_SHARE - heartbeatInterval);
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, ending.signal]);
    const beat = async () => {
      while (!signal.aborted) {
        await sleep(heartbeatInterval, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) await heartbeat(membership);
      }
    };
    const late = sleep(limit, undefined, { signal }).catch(() => undefined);
    try {
      await Promise.race([options.onRevoked(membership, limit), late, beat()]);
    } finally {
      membership.alive = false;
      done.abort();
    }
  }

  async function rejoin(): Promise<Membership | undefined> {
    const backoff = createBackoff(FIRST_WAIT, LONGEST_WAIT);
    while (!isOver()) {
      try {
        return await join();
      } catch (error) {
        if (isUnknown(error)) memberId = '';
        if (codeOf(error) === 'REBALANCE_IN_PROGRESS') continue;
        retrying('join', error);
        await pause(backoff.next());
      }
    }
    return undefined;
  }

  /** Reports what will be tried again; throws what no further attempt mends. */
  function retrying(operation: string, error: unknown): void {
    const failure = kafkaError(error, `group ${groupId}`);
    if (ending.signal.aborted) return;
    if (!(failure instanceof RetryableError) && !isFenced(error)) throw failure;
    options.onRetrying(operation, failure);
  }

  async function pause(millis: number): Promise<void> {
    await sleep(millis, undefined, { signal: ending.signal }).catch(() => undefined);
  }

  async function leaveGroup(): Promise<void> {
    if (memberId === '') return;
    const id = memberId;
    memberId = '';
    try {
      await send(await findCoordinator(options.others, groupId), 'LeaveGroup', { groupId, memberId: id });
    } catch (error) {
      // Then the session's time-out does it.
      options.onRetrying('leave', kafkaError(error, `group ${groupId}`));
    }
  }

  return {
    request,
    async run() {
      for (;;) {
        const membership = await rejoin();
        if (!membership) return;
        try {
          await live(membership);
          if (ending.signal.aborted) return;
          await revoke(membership);
        } catch (error) {
          membership.alive = false;
          if (!isFenced(error)) throw error;
          if (isUnknown(error)) memberId = '';
          options.onLost(membership);
        }
        if (!stopping) continue;
        await leaveGroup();
        return;
      }
    },
    forgetCoordinator() {
      coordinator = undefined;
    },
    stop() {
      stopping = true;
    },
    async leave() {
      stopping = true;
      if (current) current.alive = false;
      ending.abort();
      await leaveGroup();
    },
  };
}

/** With an illegal generation alone the broker still knows the member: a new id would leave the old one to its time-out. */
function isUnknown(error: unknown): boolean {
  return isFenced(error) && codeOf(error) !== 'ILLEGAL_GENERATION';
}

function dealOut(members: JoinResponse['members'], partitions: readonly Partition[]) {
  const readers = members.map(({ memberId: id, memberMetadata }) => ({
    id,
    topics: decodeTopics(memberMetadata),
  }));
  return [...assignPartitions(readers, partitions)].map(([memberId, own]) => ({
    memberId,
    memberAssignment: encodeAssignment(own),
  }));
}
