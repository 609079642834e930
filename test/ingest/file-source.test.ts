import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CorruptError, InputError, messageOf, MisconfiguredError } from '../../src/errors.ts';
import { fileSourceConfig } from '../../src/ingest/config.ts';
import { createFileSource, type FileSourceOptions } from '../../src/ingest/file-source.ts';
import { messagesOf, recordBatches, sourceContract } from '../contract/source.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-file-source-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string) => join(directory, name);
const lines = (count: number, first = 0) => Array.from({ length: count }, (_, at) => `{"n":${first + at}}`);

type Overrides = Partial<FileSourceOptions> & { config?: object };

function open(inputs: string[], { config = {}, ...options }: Overrides = {}) {
  const parsed = fileSourceConfig.parse({
    type: 'file',
    inputs: inputs.map((input) => (input === '-' ? input : file(input))),
    ...config,
  });
  return createFileSource(parsed, { positionFile: file('state/positions'), pollMillis: 2, ...options });
}

/** Reads to the end and commits everything. */
async function readAll(inputs: string[], overrides: Overrides = {}) {
  const source = open(inputs, overrides);
  const recording = recordBatches();
  let error: unknown = null;
  await source.run(recording, { untilEnd: true }).catch((caught: unknown) => (error = caught));
  const remaining = source.remaining();
  const [assignment] = recording.assignments;
  for (const { topic, partition, next } of error ? [] : recording.batches) {
    await source.commit(assignment!.token, [{ topic, partition, offset: next }], `tx-${partition}-${next}`);
  }
  return { messages: messagesOf(recording.batches), assignment, error, remaining, recording };
}

sourceContract('files', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-contract-'));
  let count = 0;
  return {
    append(partitions) {
      for (const [at, values] of partitions.entries()) {
        appendFileSync(join(root, `${at}.jsonl`), values.map((value) => `${value}\n`).join(''));
      }
      count = Math.max(count, partitions.length);
      return Promise.resolve();
    },
    open: () =>
      createFileSource(
        fileSourceConfig.parse({
          type: 'file',
          inputs: Array.from({ length: count }, (_, at) => join(root, `${at}.jsonl`)),
        }),
        { positionFile: join(root, 'positions'), pollMillis: 2 },
      ),
    remove() {
      rmSync(root, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
});

describe('what is read', () => {
  it('globs, in sorted order, each real file once; new ones get the next partitions', async () => {
    for (const name of ['b', 'a']) writeFileSync(file(`${name}.jsonl`), `"${name}"\n`);
    mkdirSync(file('d.jsonl'));
    symlinkSync(file('a.jsonl'), file('z.jsonl'));
    const first = await readAll(['*.jsonl', 'a.jsonl']);
    expect(first.messages).toEqual([
      [0, 0, '"a"'],
      [1, 0, '"b"'],
    ]);
    writeFileSync(file('aa.jsonl'), '"aa"\n');
    const second = await readAll(['*.jsonl']);
    expect(second.messages).toEqual([[2, 0, '"aa"']]);
    expect(second.assignment!.partitions.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 1],
      [2, 0],
      [1, 1],
    ]);
  });

  it('a name that looks like a glob', async () => {
    writeFileSync(file('[x]?.jsonl'), '"a"\n');
    expect((await readAll(['[x]?.jsonl'])).messages).toEqual([[0, 0, '"a"']]);
  });

  it('gzip by its content, whatever it is called; blank lines have offsets; a last line without newline counts', async () => {
    writeFileSync(file('plain.gz'), 'a\n\n b\r\nc');
    writeFileSync(file('packed.jsonl'), Buffer.concat([gzipSync('a\nb'), gzipSync('c\n')]));
    writeFileSync(file('empty'), '');
    expect((await readAll(['plain.gz', 'packed.jsonl', 'empty'])).messages).toEqual([
      [0, 0, 'a'],
      [0, 1, ''],
      [0, 2, ' b'],
      [0, 3, 'c'],
      [1, 0, 'a'],
      [1, 1, 'bc'],
    ]);
  });

  it('a line above the limit is cut and marked', async () => {
    writeFileSync(file('a'), `short\n${'x'.repeat(3_000_000)}\nafter\n`);
    const { recording, messages } = await readAll(['a'], { config: { max_line_bytes: '2MB' } });
    expect(messages.map(([, , value]) => value.length)).toEqual([5, 1024 ** 2, 5]);
    expect(recording.batches.map(({ truncated }) => truncated)).toEqual([
      undefined,
      { 0: 3_000_000 },
      undefined,
    ]);
  });
});

describe('resuming', () => {
  it.each(['plain', 'gzip'])('at each possible offset of a %s file', async (kind) => {
    const all = [...lines(20), '', 'é'.repeat(50), 'last without newline'];
    const text = all.join('\n');
    writeFileSync(file('in'), kind === 'gzip' ? gzipSync(text) : text);
    for (let offset = 0; offset <= all.length; offset++) {
      const options = {
        positionFile: file(`positions-${offset}`),
        config: { batch_messages: 7, batch_bytes: '40B' },
      };
      const source = open(['in'], options);
      const before = recordBatches();
      await source.run(before, { untilEnd: true });
      await source.commit(before.assignments[0]!.token, [{ topic: 'file', partition: 0, offset }], 'tx');
      const { messages, error, remaining } = await readAll(['in'], options);
      expect(error).toBeNull();
      expect(messages).toEqual(all.slice(offset).map((value, at) => [0, offset + at, value]));
      expect(remaining!.bytes).toBe(0);
    }
  });

  it('a file that became shorter than what is committed', async () => {
    writeFileSync(file('in'), `${lines(10).join('\n')}\n`);
    await readAll(['in']);
    writeFileSync(file('in'), `${lines(9).join('\n')}\n`);
    const { error } = await readAll(['in']);
    expect(error).toBeInstanceOf(InputError);
    expect(messageOf(error)).toMatch(/in: expected at least the 10 lines that are committed, got 9/);
  });

  it('a moved file keeps nothing, since its real path is its name', async () => {
    writeFileSync(file('a'), 'x\n');
    await readAll(['a']);
    renameSync(file('a'), file('b'));
    expect((await readAll(['b'])).messages).toEqual([[1, 0, 'x']]);
  });

  it('a damaged position file is refused before anything is read', async () => {
    writeFileSync(file('a'), 'x\n');
    await readAll(['a']);
    writeFileSync(file('state/positions'), 'nonsense\n');
    const { error, recording } = await readAll(['a']);
    expect(error).toBeInstanceOf(CorruptError);
    expect(messageOf(error)).toContain(file('state/positions'));
    expect(recording.events).toEqual([]);
  });
});

describe('failures name the file', () => {
  it.each([
    ['missing', /missing: expected a file, got no such file$/],
    ['missing-*', /missing-\*: expected a glob that matches files, got no match$/],
    ['.', /expected a file, got a directory/],
  ])('%s', async (input, pattern) => {
    const { error } = await readAll([input]);
    expect(error).toBeInstanceOf(InputError);
    expect(messageOf(error)).toMatch(pattern);
    const checked = await open([input])
      .check()
      .catch((caught: unknown) => caught);
    expect(checked).toBeInstanceOf(MisconfiguredError);
    expect(messageOf(checked)).toMatch(pattern);
  });

  it('a truncated gzip: whole lines before the end, the other files, then the error; the repaired file goes on', async () => {
    const all = lines(5000);
    const whole = gzipSync(all.join('\n'));
    writeFileSync(file('a.gz'), whole.subarray(0, whole.length >> 1));
    writeFileSync(file('b'), 'other\n');
    const source = open(['a.gz', 'b']);
    const recording = recordBatches();
    await expect(source.run(recording, { untilEnd: true })).rejects.toThrow(
      /^\S+a\.gz: cannot be read: unexpected end of file$/,
    );
    const messages = messagesOf(recording.batches);
    const own = messages.filter(([partition]) => partition === 0);
    expect(own.length).toBeGreaterThan(1000);
    expect(own.map(([, , value]) => value)).toEqual(all.slice(0, own.length));
    expect(messages.at(-1)).toEqual([1, 0, 'other']);
    // What came before the damage may be committed.
    const { token } = recording.assignments[0]!;
    await source.commit(token, [{ topic: 'file', partition: 0, offset: own.length }], 'tx');

    writeFileSync(file('a.gz'), whole);
    const again = await readAll(['a.gz']);
    expect(again.messages.map(([, , value]) => value)).toEqual(all.slice(own.length));
  });

  it('zstd, of which only a part might be read', async () => {
    writeFileSync(file('a.jsonl.zst'), zstdCompressSync('{"n":1}\n'));
    const { messages, error } = await readAll(['a.jsonl.zst']);
    expect(messages).toEqual([]);
    expect(error).toBeInstanceOf(InputError);
    expect(messageOf(error)).toContain(
      'a.jsonl.zst: cannot be read: expected JSON lines, plain or gzip, or Parquet, got zstd',
    );
  });

  it('several unreadable files are counted', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(file(name), gzipSync('x\n').subarray(0, 12));
    expect(messageOf((await readAll(['a', 'b', 'c'])).error)).toMatch(
      /a: cannot be read: .* \(and 2 more files/,
    );
  });
});

describe('following', () => {
  it('a growing file, whole lines only, until stop', async () => {
    writeFileSync(file('a'), 'one\ntw');
    const source = open(['a']);
    const steps = [
      () => appendFileSync(file('a'), 'o\nthree\n'),
      () => appendFileSync(file('a'), 'four'),
      () => source.stop(),
    ];
    const recording = recordBatches(() => {
      if (recording.batches.length === 2) steps[1]!();
      // A line without newline does not come, so the next step is by time.
      setTimeout(steps[recording.batches.length === 1 ? 0 : 2]!, 20);
    });
    await source.run(recording, { untilEnd: false });
    expect(messagesOf(recording.batches)).toEqual([
      [0, 0, 'one'],
      [0, 1, 'two'],
      [0, 2, 'three'],
    ]);
  });

  it('a file that is cut while it is followed', async () => {
    writeFileSync(file('a'), 'one\ntwo\n');
    const recording = recordBatches(() => void setTimeout(() => truncateSync(file('a'), 2), 5));
    await expect(open(['a']).run(recording, { untilEnd: false })).rejects.toThrow(
      /a: expected a file that only grows/,
    );
  });

  it('ends by itself when no input can grow', async () => {
    writeFileSync(file('a'), gzipSync('x\ny'));
    const recording = recordBatches();
    await open(['a']).run(recording, { untilEnd: false });
    expect(messagesOf(recording.batches).map(([, , value]) => value)).toEqual(['x', 'y']);
  });
});

describe('standard input', () => {
  const stdin = (...chunks: (string | Buffer)[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

  it('is a partition of its own, whose offsets go on', async () => {
    const first = await readAll(['-'], { stdin: stdin('a', '\nb\n', 'c') });
    expect(first.messages).toEqual([
      [0, 0, 'a'],
      [0, 1, 'b'],
      [0, 2, 'c'],
    ]);
    expect(first.remaining).toBeNull();
    const second = await readAll(['-'], {
      stdin: stdin(...[...gzipSync('d\n')].map((byte) => Buffer.of(byte))),
    });
    expect(second.messages).toEqual([[0, 3, 'd']]);
    expect((await readAll(['-'], { stdin: stdin() })).messages).toEqual([]);
  });

  it('stop does not wait for it', async () => {
    const silent = new Readable({ read: () => undefined });
    silent.push('a\n');
    const source = open(['-'], { stdin: silent, config: { batch_messages: 1 } });
    const running = source.run(recordBatches(), { untilEnd: false });
    await new Promise((resolve) => setTimeout(resolve, 20));
    source.stop();
    await running;
    silent.destroy();
  });

  it('an error in another input ends the run although nothing comes', async () => {
    const silent = new Readable({ read: () => undefined });
    writeFileSync(file('a'), 'x\n');
    const recording = recordBatches(() => Promise.reject(new Error('no room')));
    await expect(open(['-', 'a'], { stdin: silent }).run(recording, { untilEnd: false })).rejects.toThrow(
      'no room',
    );
    silent.destroy();
  });
});
