import type { Admin } from 'kafkajs';
import pRetry from 'p-retry';

/**
 * Makes a topic and waits until its partitions have leaders. Not by kafkajs's own wait, which ends with an error when a busy
 * broker does not know the topic yet that it has just made.
 */
export async function createTopic(
  admin: Admin,
  topic: string,
  partitions: number,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      {
        topic,
        numPartitions: partitions,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
      },
    ],
  });
  const led = async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    if (topics[0]?.partitions.filter(({ leader }) => leader >= 0).length !== partitions)
      throw new Error(`${topic} has no leaders yet`);
  };
  await pRetry(led, { retries: 60, minTimeout: 100, factor: 1 });
}
