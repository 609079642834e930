import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTei } from '../classify/inference-server.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const MESSAGES = 3_000;
/** Requests that the server answers before it is away: those that open the model, and a few. */
const SOME = 20;
/** Longer than the time limit of a worker below: a batch that waited inside of one would be taken for hung. */
const OUTAGE = 13_000;

/** A pipeline of 3,000 messages whose model is on a server of the test's own. */
async function pipeline(classify: object = {}) {
  const server = await startTei(join(import.meta.dirname, '../classify/fixtures/tiny'));
  onTestFinished(() => server.close());
  const directory = scratch();
  const lines = Array.from({ length: MESSAGES }, (_, i) =>
    JSON.stringify({ id: `m${i}`, customer: 'acme', text: `you idiot ${i}` }),
  );
  writeFileSync(join(directory, 'in.jsonl'), `${lines.join('\n')}\n`);
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['in.jsonl'], batch_messages: 256 },
    classify: {
      workers: 2,
      policies: { default: { labels: { toxic: { block: 0.9 } } } },
      ...classify,
      tei: { url: server.url, activation: 'sigmoid', version: 'v1', time_limit: '500ms' },
    },
    stop_timeout: '4s',
  });
  return { server, directory, config };
}

/** Resolves when the process has logged an event. */
function logged(run: ReturnType<typeof start>, action: string): Promise<void> {
  return new Promise((done, fail) => {
    run.process.stderr!.on('data', (line: string) => line.includes(`"event.action":"${action}"`) && done());
    void run.finished.then((end) => fail(new Error(`ended before ${action}: ${end.stderr}`)));
  });
}

const counts = (directory: string) =>
  rows(
    directory,
    'select count(*)::int as rows, count(distinct id)::int as ids, min(action) as action, min(model) as model from content',
  );

describe('a model on a server', () => {
  it('that is away for longer than a worker may take delays its messages, and that is all', async () => {
    const { server, directory, config } = await pipeline({ time_limit: '12s' });
    server.state.refuse = { status: 503, times: Infinity, after: SOME };
    const run = start(['run', config, '--until-end', '--json']);
    await logged(run, 'model-unavailable');
    await server.close();
    await sleep(OUTAGE);
    server.state.refuse.times = 0;
    await server.listen();
    const { code, stdout, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({
      messages: MESSAGES,
      rows: MESSAGES,
      dead_letters: 0,
    });
    expect(await counts(directory)).toEqual([
      { rows: MESSAGES, ids: MESSAGES, action: 'block', model: 'tiny@v1' },
    ]);
  });

  it('that is away when the pipeline is stopped loses nothing: the next run goes on', async () => {
    const { server, directory, config } = await pipeline();
    server.state.refuse = { status: 503, times: Infinity, after: SOME };
    const run = start(['run', config]);
    await logged(run, 'model-unavailable');
    run.process.kill('SIGTERM');
    const stopped = await run.finished;
    expect(stopped.code, stopped.stderr).toBe(1);
    expect(stopped.stderr).toContain('stopped before the server of a model had answered');
    server.state.refuse.times = 0;
    const next = await sluice(['run', config, '--until-end']);
    expect(next.code, next.stderr).toBe(0);
    expect(await counts(directory)).toEqual([
      { rows: MESSAGES, ids: MESSAGES, action: 'block', model: 'tiny@v1' },
    ]);
  });
});
