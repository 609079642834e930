import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rows, scratch, sluice, start, writeConfig } from './cli.ts';

const message = (value: Record<string, unknown>) =>
  `${JSON.stringify({ customer: 'acme', text: 'hello', ...value })}\n`;
const DROP = { classify: { model: 'drop' } };

/** A configuration that follows one input and flushes as soon as a row is that old. */
function flushingByAge(directory: string, input: string, age: string): string {
  const store = { type: 'directory', path: './out' };
  const archive = { store, rotate: { age } };
  return writeConfig(directory, { source: { type: 'file', inputs: [input] }, ...DROP, archive });
}

/** Resolves when the process has logged an event. */
function logged(run: ReturnType<typeof start>, action: string): Promise<void> {
  return new Promise((done, fail) => {
    run.process.stderr!.on('data', (line: string) => line.includes(`"event.action":"${action}"`) && done());
    void run.finished.then((end) => fail(new Error(`ended before ${action}: ${end.stderr}`)));
  });
}

describe('sluice run', () => {
  it('hostile values are data: nothing is lost, nothing leaves the archive', async () => {
    const directory = scratch();
    const customers = [
      '../x',
      '../../etc/passwd',
      '/abs',
      'a/b',
      '.',
      '..',
      'nul\u0000',
      'new\nline',
      'Ünï çödé 🦘',
      '%2e%2e',
      'customer=evil',
      'x'.repeat(250),
    ];
    const texts = [
      'नमस्ते दुनिया',
      '👩‍👩‍👧‍👦 family',
      'nul \u0000 inside',
      'tab\tand\nnewline',
      '\u202eright to left',
      'a'.repeat(900_000),
    ];
    const lines = [
      ...customers.map((customer, i) => message({ id: `c${i}`, customer })),
      ...texts.map((text, i) => message({ id: `t${i}`, text })),
      '{"customer":"acme","text":"big","id":12345678901234567890,"n":9007199254740993}\n',
      '{"customer":"acme","text":"first","text":"second","id":"dup"}\n',
      '{"customer":"acme","text":"proto","id":"proto","__proto__":{"polluted":true},"constructor":1}\n',
      `{"customer":"acme","text":"deep","id":"deep","x":${'['.repeat(5000)}${']'.repeat(5000)}}\n`,
      message({ id: 'huge', text: 'x'.repeat(10_000_000) }),
      '\n',
      'not json\n',
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]),
      message({ id: 'late', created_at: '1999-12-31T23:59:59.999999Z' }),
    ];
    writeFileSync(join(directory, 'in.jsonl'), Buffer.concat(lines.map((line) => Buffer.from(line))));
    const config = writeConfig(directory, { source: { type: 'file', inputs: ['in.jsonl'] }, ...DROP });
    const finished = await sluice(['run', config, '--until-end', '--json']);
    expect(finished.code, finished.stderr).toBe(0);
    const totals = JSON.parse(finished.stdout.trim().split('\n').at(-1)!) as Record<string, number>;
    expect(totals).toMatchObject({
      messages: lines.length,
      dead_letters: 4,
      skipped: 1,
      rows: lines.length - 5,
    });

    const stored = await rows(directory, 'select * from content');
    const byId = new Map(stored.map((row) => [row['content_id'], row]));
    customers.forEach((customer, i) => expect(byId.get(`c${i}`)).toMatchObject({ customer }));
    texts.forEach((content, i) => expect(byId.get(`t${i}`)).toMatchObject({ content }));
    expect(byId.get('12345678901234567890')).toMatchObject({ metadata: { n: '9007199254740993' } });
    expect(byId.get('dup')).toMatchObject({ content: 'second' });
    expect(Object.entries(byId.get('proto')!['metadata'] as object)).toContainEqual([
      '__proto__',
      '{"polluted":true}',
    ]);
    expect(byId.get('late')).toMatchObject({ created_at: '1999-12-31T23:59:59.999999Z', dt: '1999-12-31' });
    expect(readdirSync(directory).toSorted()).toEqual(['in.jsonl', 'out', 'pipeline.yaml']);
    const dead = await rows(directory, 'select code from dead_letters order by code');
    expect(dead.map(({ code }) => code)).toEqual(['not_json', 'not_utf8', 'too_deep', 'too_large']);
  });

  it('follows a growing file, flushes by age, and ends cleanly on SIGTERM', async () => {
    const directory = scratch();
    const input = join(directory, 'in.jsonl');
    writeFileSync(input, message({ id: '1' }));
    const config = flushingByAge(directory, 'in.jsonl', '500ms');
    const run = start(['run', config]);
    await logged(run, 'flushed');
    expect(await rows(directory, 'select count(*) as n from content')).toEqual([{ n: 1n }]);
    appendFileSync(input, message({ id: '2' }) + message({ id: '3' }));
    await logged(run, 'flushed');
    appendFileSync(input, message({ id: '4' }));
    await new Promise((done) => setTimeout(done, 600));
    run.process.kill('SIGTERM');
    const end = await run.finished;
    expect(end.code, end.stderr).toBe(0);
    expect(await rows(directory, 'select content_id as id from content order by id')).toEqual([
      { id: '1' },
      { id: '2' },
      { id: '3' },
      { id: '4' },
    ]);
  });

  it('a second process on the same archive fences the first: no row twice', async () => {
    const directory = scratch();
    const input = join(directory, 'in.jsonl');
    writeFileSync(input, message({ id: '1' }));
    const config = flushingByAge(directory, 'in.jsonl', '300ms');
    const first = start(['run', config]);
    await logged(first, 'flushed');
    const second = start(['run', config]);
    await logged(second, 'assignment-recovered');
    appendFileSync(input, message({ id: '2' }));
    await logged(second, 'flushed');
    const fenced = await first.finished;
    expect(fenced.code).toBe(1);
    expect(fenced.stderr).toMatch(/^sluice: .*taken over/m);
    second.process.kill('SIGTERM');
    expect((await second.finished).code).toBe(0);
    expect(
      await rows(directory, 'select content_id as id, count(*) as n from content group by all order by id'),
    ).toEqual([
      { id: '1', n: 1n },
      { id: '2', n: 1n },
    ]);
  });

  it('reads standard input', async () => {
    const directory = scratch();
    const config = writeConfig(directory, { source: { type: 'file', inputs: ['-'] }, ...DROP });
    const bin = resolve(import.meta.dirname, '../../bin/sluice.js');
    const child = spawn(process.execPath, [bin, 'run', config, '--until-end', '--json'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child.stdin.end(message({ id: '1' }) + message({ id: '2' }));
    expect(await new Promise((done) => child.on('close', done))).toBe(0);
    expect(await rows(directory, 'select count(*) as n from content')).toEqual([{ n: 2n }]);
  });

  it('standard input that is slow and stays open: lines are archived by age, the rest on SIGTERM, and the process ends', async () => {
    const directory = scratch();
    const config = flushingByAge(directory, '-', '200ms');
    const run = start(['run', config], { stdin: true });
    run.process.stdin!.write(message({ id: '1' }));
    await logged(run, 'flushed');
    run.process.stdin!.write(message({ id: '2' }) + message({ id: '3' }) + '{"unfinished');
    await new Promise((done) => setTimeout(done, 50));
    run.process.kill('SIGTERM');
    const end = await run.finished;
    expect(end.code, end.stderr).toBe(0);
    expect(await rows(directory, 'select content_id as id from content order by id')).toEqual([
      { id: '1' },
      { id: '2' },
      { id: '3' },
    ]);
  });

  it('a failure ends the process although standard input stays open', async () => {
    const directory = scratch();
    const config = writeConfig(directory, { source: { type: 'file', inputs: ['-'] }, ...DROP });
    const run = start(['run', config], { stdin: true });
    run.process.stdin!.write('broken\n'.repeat(1100));
    expect((await run.finished).code).toBe(1);
  });

  it('what a commit names becomes visible although its input is no input any more', async () => {
    const directory = scratch();
    mkdirSync(join(directory, 'in'));
    writeFileSync(join(directory, 'in/a.jsonl'), message({ id: 'a' }).repeat(100));
    const config = writeConfig(directory, { source: { type: 'file', inputs: ['in/*.jsonl'] }, ...DROP });
    const killed = await sluice(['run', config, '--until-end'], { env: { SLUICE_CRASH_AT: 'after-commit' } });
    expect(killed.signal).toBe('SIGKILL');
    expect(await rows(directory, 'select count(*) as n from content')).toEqual([{ n: 0n }]);
    renameSync(join(directory, 'in/a.jsonl'), join(directory, 'a.jsonl'));
    writeFileSync(join(directory, 'in/b.jsonl'), message({ id: 'b' }).repeat(10));
    expect((await sluice(['run', config, '--until-end'])).code).toBe(0);
    const counted = 'select content_id as id, count(*) as n from content group by all order by id';
    expect(await rows(directory, counted)).toEqual([
      { id: 'a', n: 100n },
      { id: 'b', n: 10n },
    ]);
    // A finished file may be deleted by its owner; the next start does not look for it.
    rmSync(join(directory, 'out/customer=acme'), { recursive: true });
    renameSync(join(directory, 'a.jsonl'), join(directory, 'in/a.jsonl'));
    expect((await sluice(['run', config, '--until-end'])).code).toBe(0);
  });

  it('a stream of nothing but broken messages stops the pipeline, and says why', async () => {
    const directory = scratch();
    writeFileSync(join(directory, 'in.jsonl'), message({ id: '1' }).repeat(10) + 'broken\n'.repeat(3000));
    const config = writeConfig(directory, { source: { type: 'file', inputs: ['in.jsonl'] }, ...DROP });
    const finished = await sluice(['run', config, '--until-end']);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(
      /^sluice: file-0: expected fewer than 1000 dead letters in a row, got 1000/m,
    );
  });
});
