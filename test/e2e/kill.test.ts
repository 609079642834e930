import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { content } from '../../benchmarks/content.ts';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

/** mulberry32: a seeded generator, so that a failing order of moments can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const MESSAGES = 120_000;
const KILLS = 20;

it(`kill -9 at ${KILLS} random moments, then to the end: nothing lost, nothing twice`, async () => {
  const directory = scratch();
  const input = join(directory, 'content.jsonl');
  const lines = [...content({ messages: MESSAGES, customers: 12, seed: 7, broken: 0.01 })].map((line) =>
    Buffer.from(line),
  );
  writeFileSync(input, Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
  const config = writeConfig(directory, {
    source: { type: 'file', inputs: ['content.jsonl'] },
    archive: { store: { type: 'directory', path: './out' }, rotate: { rows: 2000 } },
  });

  const next = random(Number(process.env['SLUICE_SEED'] ?? 1));
  let killed = 0;
  const committed: number[] = [];
  while (killed < KILLS) {
    const run = start(['run', config, '--until-end', '--json']);
    // Half of them from its start on, half from its first flush on, however slow the machine is.
    const mark = killed % 2 === 0 ? 'assignment-recovered' : '"flushed"';
    run.process.stderr!.on('data', (line: string) => {
      if (line.includes(mark)) setTimeout(() => run.process.kill('SIGKILL'), next() * 1000);
    });
    const end = await run.finished;
    expect(end.signal, `the input must outlast the kills; ended by itself: ${end.stderr}`).toBe('SIGKILL');
    killed++;
    const [{ n }] = (await rows(directory, 'select count(*) as n from content')) as [{ n: bigint }];
    committed.push(Number(n));
  }
  const last = await sluice(['run', config, '--until-end', '--json']);
  expect(last.code, last.stderr).toBe(0);

  const offsets = await rows(directory, 'select "offset" as o, count(*) as n from content group by all');
  const dead = await rows(directory, 'select "offset" as o, count(*) as n from dead_letters group by all');
  expect([...offsets, ...dead].filter(({ n }) => Number(n) !== 1)).toEqual([]);
  const settled = new Set([...offsets, ...dead].map(({ o }) => Number(o)));
  expect(settled.size).toBe(offsets.length + dead.length);
  expect(settled.size).toBe(MESSAGES);
  expect(dead.length).toBeGreaterThan(MESSAGES * 0.004);

  // The text of every row is the text of its line, to the byte.
  const stored = await rows(directory, 'select "offset" as o, content from content');
  const wrong = stored.filter(({ o, content: text }) => {
    const expected = (
      JSON.parse(lines[Number(o)]!.toString('utf8').replace(/^\uFEFF/, '')) as { text: string }
    ).text;
    return expected.toWellFormed() !== text; // UTF-8 cannot hold a lone surrogate
  });
  expect(wrong).toEqual([]);
  // The kills fell between commits, not only before the first.
  expect(new Set(committed).size).toBeGreaterThanOrEqual(KILLS / 2);
}, 300_000);
