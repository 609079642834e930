import { isWanted, type Measurement, type Suite, type SuiteOptions } from '../harness/sample.ts';
import { openServers, type Servers } from '../harness/servers.ts';
import { USUAL_TOPIC, fillTopic } from '../harness/topic.ts';
import { closeAdmins } from '../peers/committed.ts';
import { PEERS } from '../peers/index.ts';
import type { Installed, Peer } from '../peers/peer.ts';
import { runJob } from '../peers/run-job.ts';
import { createSluice } from '../peers/sluice/index.ts';

/** Messages of a round, and the rows after which files are written where a peer can be told so. */
const MESSAGES = 2_000_000;
export const FLUSH_ROWS = 500_000;
/** A tenth of the messages warms up. */
const WARM_UP = 10;

/** Sluice without a model and what users would pick otherwise, on the same topic into the same kind of bucket. */
export async function openPeers(options: SuiteOptions): Promise<Suite> {
  const { messages = MESSAGES } = options;
  const servers = await openServers();
  const measurements: Measurement[] = [];
  for (const { peer, installed } of await installPeers(options)) {
    measurements.push(peerMeasurement({ servers, peer, installed, messages }));
  }
  return {
    name: 'peers',
    measurements,
    async close() {
      await closeAdmins();
      await servers.close();
    },
  };
}

/** Sluice and the peers that were asked for, installed. Throws when one of them cannot be had. */
export async function installPeers(
  options: SuiteOptions,
): Promise<{ readonly peer: Peer; readonly installed: Installed }[]> {
  const wanted = [createSluice(), ...PEERS].filter(({ name }) => isWanted(name, options));
  const all = [];
  for (const peer of wanted) all.push({ peer, installed: await peer.install() });
  return all;
}

/** One whole topic by one peer. */
export function peerMeasurement(options: {
  readonly servers: Servers;
  readonly peer: Peer;
  readonly installed: Installed;
  readonly messages: number;
}): Measurement {
  const { servers, peer, installed, messages } = options;
  const run = async (count: number) => {
    const topic = await fillTopic(servers.broker, { ...USUAL_TOPIC, messages: count });
    return runJob(peer, installed, { servers, topic, messages: count, flushRows: FLUSH_ROWS });
  };
  return {
    name: peer.name,
    title: peer.title,
    unit: 'messages',
    parameters: { messages, ...USUAL_TOPIC, flush_rows: FLUSH_ROWS },
    versions: installed.versions,
    warmUp: () => run(Math.ceil(messages / WARM_UP)),
    sample: () => run(messages),
  };
}
