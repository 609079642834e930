import { sourceContract } from '../contract/source.ts';
import { createKafkaFixture } from './kafka-fixture.ts';

sourceContract('kafkajs', async () => {
  const kafka = await createKafkaFixture();
  let partitions = 1;
  return {
    async append(all) {
      if (all.length > partitions) {
        partitions = all.length;
        await kafka.admin.createPartitions({ topicPartitions: [{ topic: kafka.topic, count: partitions }] });
      }
      for (const [partition, values] of all.entries()) await kafka.produce(partition, values);
    },
    open: () => kafka.open(),
    remove: () => kafka.remove(),
  };
});
