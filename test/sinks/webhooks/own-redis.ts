import { ensureServices, signalService, startService, stopService } from '../../../scripts/services/index.ts';
import { scratch } from '../../services/scratch.ts';

/** A Redis that only one test uses, and may kill; it keeps its data and is removed after the test. */
export async function ownRedis() {
  const directory = scratch();
  const { environment } = await ensureServices(['redis'], { directory });
  return {
    url: environment['SLUICE_REDIS']!,
    kill: () => stopService('redis', { directory, signal: 'SIGKILL' }),
    start: () => startService('redis', { directory }),
    signal: (signal: NodeJS.Signals) => signalService('redis', signal, { directory }),
  };
}
