import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from '../../../scripts/services/cache.ts';
import { execute } from '../../../scripts/services/execute.ts';
import { requireTools } from '../../../scripts/services/tools.ts';
import { digestOf } from '../../harness/machine.ts';
import { PARTITIONS } from '../../harness/topic.ts';
import { isCommitted } from '../committed.ts';
import { environmentOf, type Peer } from '../peer.ts';

const FOLDER = import.meta.dirname;
const VERSION = '4.27.0';
const SOURCES = ['go.mod', 'main.go'] as const;

/** Benthos with the components that are needed: what Redpanda Connect came from, as far as it can be had. */
export const benthos: Peer = {
  name: 'benthos',
  title: `Benthos ${VERSION}`,

  async install() {
    const [go] = await requireTools('benchmark peer benthos', [{ command: 'go', packages: ['golang'] }]);
    const sources = digestOf(SOURCES.map((name) => `benchmarks/peers/benthos/${name}`));
    const directory = await installOnce(`peer-benthos-${sources}`, async (place) => {
      for (const name of SOURCES) cpSync(join(FOLDER, name), join(place, name));
      // Its parquet library links to a function of the runtime that Go 1.23 and later hide from it.
      await execute(go!, ['build', '-mod=mod', '-ldflags=-checklinkname=0', '-o', 'benthos', '.'], {
        cwd: place,
      });
    });
    return { directory, versions: { benthos: VERSION, program: digestOf(['benchmarks/peers/benthos']) } };
  },

  command: (job, { directory }) => ({
    program: join(directory, 'benthos'),
    args: ['-c', join(FOLDER, 'config.yaml')],
    env: { ...environmentOf(job), BENCH_PARTITION_ROWS: String(Math.ceil(job.flushRows / PARTITIONS)) },
  }),

  // What it commits is written.
  isDone: (job) => isCommitted(job),
};
