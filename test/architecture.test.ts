import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const STAGES = ['ingest', 'classify', 'archive', 'sinks', 'api'];
/** What a stage may import from the root. */
const SHARED = [
  'types.ts',
  'decision.ts',
  'ports.ts',
  'errors.ts',
  'events.ts',
  'units.ts',
  'suggest.ts',
  'dead-letter.ts',
  'memory.ts',
  'raw-batch.ts',
  'kafka.ts',
  'kafka-codecs.ts',
  'kafka-producer.ts',
  'topic-writer.ts',
  'address.ts',
  'listener.ts',
  'concurrency.ts',
  'duckdb-chunks.ts',
  's3-connection-config.ts',
  's3-client.ts',
  's3-errors.ts',
  's3-objects.ts',
  'object-files.ts',
];

function sources(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((name) => name.endsWith('.ts') && statSync(join(root, name)).isFile());
}

function imports(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(root, resolve(root, dirname(file), match[1]!)),
  );
}

const src = sources('src');

describe('architecture', () => {
  it('finds the sources', () => {
    expect(src).toContain(join('src', 'pipeline.ts'));
    expect(src.length).toBeGreaterThan(20);
  });

  it('stages import only themselves and the shared root files', () => {
    const offences = src.flatMap((file) => {
      const stage = STAGES.find((name) => file.startsWith(join('src', name) + '/'));
      if (!stage) return [];
      return imports(file)
        .filter((target) => !target.startsWith(join('src', stage) + '/'))
        .filter((target) => !SHARED.some((name) => target === join('src', name)))
        .map((target) => `${file} imports ${target}`);
    });
    expect(offences).toEqual([]);
  });

  it('no file is longer than 300 lines, and the median is near 120', () => {
    const lengths = src.map((file) => ({
      file,
      lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1,
    }));
    expect(lengths.filter(({ lines }) => lines > 300)).toEqual([]);
    const sorted = lengths.map(({ lines }) => lines).toSorted((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(140);
  });

  it('no file or folder is a bag of things', () => {
    const bags = src.filter((file) => /(^|[/-])(utils?|common|helpers?|manager|misc)([/.-]|$)/.test(file));
    expect(bags).toEqual([]);
  });

  it('each stage opens with its contract', () => {
    for (const stage of STAGES) {
      const index = join('src', stage, 'index.ts');
      if (!src.includes(index)) continue;
      const opening = readFileSync(join(root, index), 'utf8').slice(0, 2000).toLowerCase();
      for (const word of ['in:', 'out:', 'promises:', 'fails:'])
        expect(opening, `${index} lacks "${word}"`).toContain(word);
    }
  });

  it('only events.ts logs, and only main.ts and its commands print', () => {
    const printing = src.filter((file) =>
      /\bconsole\.|process\.std(out|err)\.write|from 'pino'/.test(readFileSync(join(root, file), 'utf8')),
    );
    const commands = [
      'demo',
      'verify',
      'replay',
      'redrive',
      'score',
      'evaluate',
      'waiting',
      'doctor-probe',
    ].map((name) => `src/${name}.ts`);
    const allowed = [
      'src/main.ts',
      'src/events.ts',
      'src/webhook-events.ts',
      'src/classify-events.ts',
      ...commands,
    ];
    expect(printing.filter((file) => !allowed.includes(file))).toEqual([]);
  });

  it('everything exported has a docstring', () => {
    const bare = src.flatMap((file) => {
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      return lines.flatMap((line, index) => {
        if (!/^export (async )?(function|const|interface|type|class) [A-Za-z]/.test(line)) return [];
        return lines[index - 1]?.trim().endsWith('*/') ? [] : [`${file}:${index + 1} ${line.slice(0, 60)}`];
      });
    });
    expect(bare).toEqual([]);
  });
});
