import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a minute and more, first: the last one to start decides how long everything takes. */
const LONG = [
  'test/chaos/short.test.ts',
  'test/e2e/kafka-to-s3.test.ts',
  'test/ingest/confluent-group.test.ts',
  'test/e2e/webhooks.test.ts',
  'test/e2e/redrive.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.endsWith(name));
      return place < 0 ? LONG.length : place;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/services/setup.ts'],
    // Native modules (onnxruntime, tokenizers) and worker threads want processes of their own.
    pool: 'forks',
    // Half of the tests wait for brokers and sessions: one more than the least number of cores.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: process.env.CI ? ['default', 'json'] : ['default'],
    outputFile: { json: '.test-results/results.json' },
  },
});
