import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKafkaGroup, type KafkaGroup } from '../../src/ingest/kafka-group.ts';
import { createKafkaFixture, kafkaOf, type KafkaFixture } from './kafka-fixture.ts';

describe('a consumer group from outside', () => {
  let fixture: KafkaFixture;
  let group: KafkaGroup;
  beforeAll(async () => {
    fixture = await createKafkaFixture({ partitions: 2 });
    group = openKafkaGroup(kafkaOf(), `outside-${randomUUID()}`, { topics: [fixture.topic] });
    const at = (timestamp: number) => ({ value: 'x', timestamp: String(timestamp) });
    await fixture.produce(0, [at(1000), at(2000), at(3000)]);
    await fixture.produce(1, [at(1500)]);
  });
  afterAll(async () => {
    group.close();
    await fixture.remove();
  });
  const sorted = (positions: readonly { partition: number; offset: number }[]) =>
    positions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset);

  it('knows where the topic begins and ends, and where a time is', async () => {
    expect(sorted(await group.offsets('earliest'))).toEqual([0, 0]);
    expect(sorted(await group.offsets('latest'))).toEqual([3, 1]);
    expect(sorted(await group.offsets(1501))).toEqual([1, 1]);
  });

  it('begins where it is told, in all partitions or in none, and ends without a trace', async () => {
    const { topic } = fixture;
    expect(await group.committed()).toEqual([]);
    const positions = [
      { topic, partition: 0, offset: 2, transaction: 'tx1' },
      { topic, partition: 1, offset: 0, transaction: '' },
    ];
    await group.begin(positions);
    expect((await group.committed()).toSorted((a, b) => a.partition - b.partition)).toEqual(positions);
    await group.remove();
    expect(await group.committed()).toEqual([]);
    await group.remove();
  });

  it('has no offsets of a topic that is not there', async () => {
    const nothing = openKafkaGroup(kafkaOf(), 'nobody', { topics: [`none-${randomUUID()}`] });
    expect(await nothing.offsets('latest')).toEqual([]);
    nothing.close();
  });
});
