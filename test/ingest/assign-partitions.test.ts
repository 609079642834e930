import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignPartitions } from '../../src/ingest/assign-partitions.ts';

const topics = ['a', 'b', 'c'];
const partitions = fc.uniqueArray(
  fc.record({ topic: fc.constantFrom(...topics), partition: fc.integer({ min: 0, max: 20 }) }),
  { selector: ({ topic, partition }) => `${topic}-${partition}` },
);
const member = fc.record({ id: fc.uuid(), topics: fc.uniqueArray(fc.constantFrom(...topics)) });
const members = fc.uniqueArray(member, { minLength: 1, maxLength: 6, selector: ({ id }) => id });

describe('assignPartitions', () => {
  it('gives each partition that anybody reads to one member that does', () => {
    fc.assert(
      fc.property(members, partitions, (group, given) => {
        const assignment = assignPartitions(group, given);
        expect([...assignment.keys()].toSorted()).toEqual(group.map(({ id }) => id).toSorted());
        const dealt = [...assignment].flatMap(([id, own]) => own.map((each) => ({ id, ...each })));
        for (const { id, topic } of dealt)
          expect(group.find((each) => each.id === id)!.topics).toContain(topic);
        const readable = given.filter(({ topic }) => group.some((each) => each.topics.includes(topic)));
        const names = (list: typeof given) =>
          list.map(({ topic, partition }) => `${topic}-${partition}`).toSorted();
        expect(names(dealt)).toEqual(names(readable));
      }),
    );
  });

  it('shares evenly among members that read the same, and not by the order of either', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 6 }), partitions, (ids, given) => {
        const group = ids.map((id) => ({ id, topics }));
        const assignment = assignPartitions(group, given);
        const counts = [...assignment.values()].map((own) => own.length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(assignPartitions(group.toReversed(), given.toReversed())).toEqual(assignment);
      }),
    );
  });
});
