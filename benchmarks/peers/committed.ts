import { Kafka, logLevel, type Admin } from 'kafkajs';
import type { Job } from './peer.ts';

const admins = new Map<string, Promise<Admin>>();

/** Whether the job's group, or another one of that name, has committed all messages of the topic. */
export async function isCommitted(job: Job, group = job.group): Promise<boolean> {
  const admin = await adminOf(job.servers.broker);
  const [found] = await admin.fetchOffsets({ groupId: group, topics: [job.topic] });
  const committed = found!.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  return committed >= job.messages;
}

/** Does something with an admin client of a broker, whose connection is kept. */
export async function withAdmin<T>(broker: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  return work(await adminOf(broker));
}

/** Ends the connections that are kept. */
export async function closeAdmins(): Promise<void> {
  for (const admin of admins.values()) await (await admin).disconnect();
  admins.clear();
}

/** One connection for each broker: asked several times a second, new ones would cost what is being measured. */
function adminOf(broker: string): Promise<Admin> {
  let opening = admins.get(broker);
  if (!opening) {
    const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
    opening = admin.connect().then(() => admin);
    admins.set(broker, opening);
  }
  return opening;
}
