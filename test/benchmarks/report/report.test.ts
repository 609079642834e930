import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { MeasurementRecord } from '../../../benchmarks/harness/record.ts';
import { niceCeiling, plotOf } from '../../../benchmarks/report/plot.ts';
import { replaceBetween, writeReport } from '../../../benchmarks/report/report.ts';
import { readable, tableOf } from '../../../benchmarks/report/table.ts';

function recordOf(changes: Partial<MeasurementRecord> = {}): MeasurementRecord {
  return {
    suite: 'peers',
    name: 'polars',
    title: 'Polars',
    unit: 'messages',
    parameters: { messages: 1000 },
    versions: { polars: '2.1.0', program: 'abc' },
    machine: { cpu: 'Test CPU', cores: 2, memoryGiB: 4, system: 'Linux 6 x64' },
    run: '2026-11-21T17:05:00.000Z',
    samples: [
      { count: 1000, seconds: 1, cpuSeconds: 0.01, lost: 0, twice: 3, others: 0.02 },
      { count: 1000, seconds: 2, cpuSeconds: 0.03, lost: 1, twice: 0, others: 0.03 },
      { count: 1000, seconds: 4, cpuSeconds: 0.02, lost: 0, twice: 0, others: 0.9 },
    ],
    ...changes,
  };
}

describe('report', () => {
  it('shows the median, the spread, and the worst of what went wrong', () => {
    expect(tableOf([recordOf()]).split('\n')).toEqual([
      '|  | per second | CPU s per million | rows lost | rows twice |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| Polars | 500 (250 – 1,000) messages | 20 (10 – 30) | 1 | 3 |',
      '',
    ]);
  });

  it('marks rows during which others were busy, and rows that failed', () => {
    const busy = recordOf({ samples: [{ count: 1, seconds: 1, cpuSeconds: 1, others: 0.2 }] });
    expect(tableOf([busy])).toContain('| Polars \\* |');
    expect(tableOf([recordOf({ samples: [], failure: 'gone' }), recordOf()])).toContain('| Polars: failed |');
  });

  it('writes numbers with three digits or all of a whole number', () => {
    expect([0, 7, 0.12345, 1.2345, 12.345, 123.45, 1234567].map(readable)).toEqual([
      '0',
      '7',
      '0.123',
      '1.23',
      '12.3',
      '123',
      '1,234,567',
    ]);
  });

  it('writes tables between the markers, a summary, and a plot of whole lines only', () => {
    const directory = mkdtempSync(join(tmpdir(), 'report-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const readme = join(directory, 'README.md');
    writeFileSync(readme, 'before\n<!-- results -->\nstale figures\n<!-- /results -->\nafter\n');
    const pipeline = ['bytes-100', 'usual', 'bytes-2000', 'customers-10'].map((name) =>
      recordOf({ suite: 'pipeline', name, title: name }),
    );
    writeReport({ records: [recordOf(), ...pipeline], readme, directory });
    const text = readFileSync(readme, 'utf8');
    expect(text).toMatch(/^before\n<!-- results -->\n\n!\[Throughput\]/);
    expect(text).toMatch(/<!-- \/results -->\nafter\n$/);
    expect(text).not.toContain('stale figures');
    expect(text).toContain('### Beside what else one would use');
    expect(text).toContain('2026-11-21 17:05 UTC, 3 rounds, 2 × Test CPU, 4 GiB, Linux 6 x64. polars 2.1.0.');
    const summary = JSON.parse(readFileSync(join(directory, 'summary.json'), 'utf8')) as unknown[];
    expect(summary[0]).toMatchObject({ name: 'polars', per_second: 500, lost: 1, twice: 3, rounds: 3 });
    const plot = readFileSync(join(directory, 'throughput.svg'), 'utf8');
    expect(plot).toContain('Message size');
    expect(plot).not.toContain('Customers');
    expect(() => replaceBetween('no markers', 'x', 'README.md')).toThrow(/README\.md: expected the lines/);
  });

  it('plots every point within its frame, on a scale that holds it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 6 }),
        (values) => {
          const points = values.map((value, at) => ({ label: `<${at}>`, value }));
          const svg = plotOf({ title: 'a & b', unit: 'messages/s', lines: [{ title: 'line', points }] });
          const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)];
          expect(circles).toHaveLength(values.length);
          for (const [, x, y] of circles) {
            expect(Number(x)).toBeGreaterThan(62);
            expect(Number(x)).toBeLessThan(346);
            expect(Number(y)).toBeGreaterThanOrEqual(34);
            expect(Number(y)).toBeLessThanOrEqual(176);
          }
          expect(svg).toContain('a &amp; b');
          expect(svg).not.toContain('<0>');
        },
      ),
    );
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (value) => {
        expect(niceCeiling(value)).toBeGreaterThanOrEqual(value * (1 - 1e-12));
        expect(niceCeiling(value)).toBeLessThanOrEqual(value * 2.5 * (1 + 1e-9));
      }),
    );
  });
});
