import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pRetry from 'p-retry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { choosePorts, HOST } from '../../scripts/services/ports.ts';
import { redis as service } from '../../scripts/services/redis.ts';
import { RetryableError, StoreError } from '../../src/errors.ts';
import { redisSinkConfig } from '../../src/sinks/redis-sink-config.ts';
import { createRedisSink } from '../../src/sinks/redis-sink.ts';
import { sinkContract } from '../contract/sink.ts';
import { sampleDecision } from '../sample-decision.ts';

const SLOTS = 16_384;
const NODES = 3;
const directory = mkdtempSync(join(tmpdir(), 'redis-cluster-'));
const processes: ChildProcess[] = [];
let nodes: Redis[] = [];
let ports: number[] = [];

/** Three masters with a third of the slots each. */
beforeAll(async () => {
  const program = await service.install();
  const names = Array.from({ length: 2 * NODES }, (_, index) => String(index));
  const all = Object.values(await choosePorts(names));
  ports = all.slice(0, NODES);
  for (const [index, port] of ports.entries()) {
    const args = [
      ['--bind', HOST, '--port', String(port), '--dir', directory, '--save', '', '--cluster-enabled', 'yes'],
      ['--cluster-config-file', `nodes-${port}.conf`, '--cluster-port', String(all[NODES + index])],
      // A slot whose node is gone takes nothing else away.
      ['--cluster-require-full-coverage', 'no'],
    ].flat();
    processes.push(spawn(program, args, { stdio: 'ignore' }));
  }
  nodes = ports.map((port) => new Redis(port, HOST, { maxRetriesPerRequest: null }));
  for (const node of nodes) node.on('error', () => undefined);
  for (const [index, node] of nodes.entries()) {
    const share = Math.ceil(SLOTS / NODES);
    await node.cluster('ADDSLOTSRANGE', index * share, Math.min(SLOTS, (index + 1) * share) - 1);
    await node.call('CLUSTER', 'MEET', HOST, ports[0]!, all[NODES]!);
  }
  await pRetry(
    async () => {
      for (const node of nodes) {
        const info = await node.cluster('INFO');
        if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${NODES}`))
          throw new Error(info);
        // Before it has heard of all slots, a node answers CLUSTERDOWN for those of others.
        if (!info.includes(`cluster_slots_assigned:${SLOTS}`)) throw new Error(info);
      }
    },
    { retries: 100, minTimeout: 100, factor: 1 },
  );
});
afterAll(async () => {
  for (const node of nodes) node.disconnect();
  await Promise.all(
    processes.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
  rmSync(directory, { recursive: true, force: true });
});

const sinkOf = (prefix: string, changes: object = {}) =>
  createRedisSink({
    config: redisSinkConfig.parse({
      type: 'redis',
      url: `redis://${HOST}:${ports[0]}`,
      cluster: true,
      prefix,
      ...changes,
    }),
    at: 'sinks.scores',
  });
const signal = () => AbortSignal.timeout(30_000);

/** Decision ids by node. */
async function idsByNode(prefix: string): Promise<string[][]> {
  return Promise.all(
    nodes.map(async (node) => {
      const keys = await node.keys(`${prefix}*`);
      return Promise.all(keys.map(async (key) => String(await node.hget(key, 'decision_id'))));
    }),
  );
}

sinkContract('redis cluster', () => {
  const sink = sinkOf('contract:');
  return Promise.resolve({
    sink,
    again: () => Promise.resolve(sinkOf('contract:')),
    unreachable: () => Promise.resolve(sinkOf('contract:', { url: `redis://${HOST}:1` })),
    received: async () => (await idsByNode('contract:')).flat(),
    close: () => sink.close(),
  });
});

describe('redis sink over a cluster', () => {
  it('spreads scores over all nodes, also those of one customer', async () => {
    const sink = sinkOf('spread:');
    await sink.deliver(
      Array.from({ length: 60 }, (_, offset) => sampleDecision(offset)),
      signal(),
    );
    for (const ids of await idsByNode('spread:')) expect(ids.length).toBeGreaterThan(5);
    await sink.close();
  });

  it('says that a node is one of a cluster', async () => {
    const sink = sinkOf('single:', { cluster: false });
    const batch = Array.from({ length: 60 }, (_, offset) => sampleDecision(offset));
    await expect(sink.deliver(batch, signal())).rejects.toThrow(/MOVED .*set cluster: true/);
    await expect(sink.deliver(batch, signal())).rejects.toThrow(StoreError);
    await sink.close();
  });

  it('asks again when a node is gone', async () => {
    const sink = sinkOf('gone:');
    await sink.deliver([sampleDecision(0)], signal());
    processes[2]!.kill('SIGKILL');
    await once(processes[2]!, 'exit');
    const batch = Array.from({ length: 60 }, (_, offset) => sampleDecision(offset));
    await expect(sink.deliver(batch, signal())).rejects.toThrow(RetryableError);
    await sink.close();
  });
});
