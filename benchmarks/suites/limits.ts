import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTools } from '../../scripts/services/tools.ts';
import { measure } from '../harness/measured-process.ts';
import { isWanted, type Measurement, type Suite, type SuiteOptions } from '../harness/sample.ts';
import { openServers, type Servers } from '../harness/servers.ts';
import { USUAL_TOPIC, fillTopic } from '../harness/topic.ts';
import { LIMITS } from '../stages/index.ts';
import { stageMeasurement } from './stage.ts';

const MESSAGES = 2_000_000;

/** What no pipeline on this machine can beat. */
export async function openLimits(options: SuiteOptions): Promise<Suite> {
  const servers = await openServers();
  const measurements: Measurement[] = [];
  if (isWanted('kcat', options)) measurements.push(await kcat(servers, options.messages ?? MESSAGES));
  for (const [name, entry] of Object.entries(LIMITS)) {
    if (isWanted(name, options)) measurements.push(stageMeasurement(name, entry, servers.environment));
  }
  return { name: 'limits', measurements, close: () => servers.close() };
}

/** The limit of reading: librdkafka's own program, the whole topic, to nowhere. */
async function kcat(servers: Servers, messages: number): Promise<Measurement> {
  const [program] = await requireTools('benchmark limit kcat', [{ command: 'kcat', packages: ['kcat'] }]);
  const [, version = 'unknown'] =
    /Version (\S+)/.exec(execFileSync(program!, ['-V'], { encoding: 'utf8' })) ?? [];
  return {
    name: 'kcat',
    title: 'kcat: the whole topic to /dev/null',
    unit: 'messages',
    parameters: { messages, ...USUAL_TOPIC },
    versions: { kcat: version },
    async sample() {
      const topic = await fillTopic(servers.broker, { ...USUAL_TOPIC, messages });
      const directory = mkdtempSync(join(tmpdir(), 'bench-kcat-'));
      const read = ['-C', '-b', servers.broker, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%s'];
      const command = { program: 'sh', args: ['-c', 'exec "$@" > /dev/null', 'sh', program!, ...read] };
      try {
        return {
          count: messages,
          ...(await measure({ command, directory, log: join(directory, 'output.log') })),
        };
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  };
}
