import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, describe, expect, it } from 'vitest';
import { childSeconds, measure, startMeasured } from '../../../benchmarks/harness/measured-process.ts';
import { processFigures } from '../../../benchmarks/harness/process-tree.ts';

const BURN = 'const use = () => process.cpuUsage().user; while (use() < 400_000) Math.sqrt(2);';

function optionsOf(script: string) {
  const directory = mkdtempSync(join(tmpdir(), 'measured-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const command = { program: process.execPath, args: ['-e', script] };
  return { command, directory, log: join(directory, 'output.log') };
}

describe('measured process', () => {
  it('counts CPU time of the process and of those that it started', async () => {
    const own = await measure(optionsOf(BURN));
    expect(own.cpuSeconds).toBeGreaterThanOrEqual(0.4);
    expect(own.peakRss).toBeGreaterThan(10_000_000);
    const inner = JSON.stringify(BURN);
    const both = await measure(
      optionsOf(`require('child_process').spawnSync(process.execPath, ['-e', ${inner}]); ${BURN}`),
    );
    expect(both.cpuSeconds).toBeGreaterThanOrEqual(0.8);
  });

  it('keeps what was printed, and says it when the command fails', async () => {
    const options = optionsOf('console.log("about to fail"); process.exit(3)');
    await expect(measure(options)).rejects.toThrow(/exited with code 3.*about to fail/s);
    expect(readFileSync(options.log, 'utf8')).toContain('about to fail');
  });

  it('ends the process and its children by one signal', async () => {
    const script = `const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)']);
      require('fs').writeFileSync('pid', String(child.pid)); setInterval(() => 0, 1000);`;
    const options = optionsOf(script);
    const running = startMeasured(options);
    const file = join(options.directory, 'pid');
    while (!existsSync(file) || readFileSync(file, 'utf8') === '') await new Promise(setImmediate);
    expect(running.hasEnded()).toBe(false);
    await running.end('SIGKILL');
    expect(running.hasEnded()).toBe(true);
    // Killed at once with it; somebody has to take it from the table of processes, though.
    const child = Number(readFileSync(file, 'utf8'));
    while ((processFigures(child)?.rss ?? 0) > 0) await new Promise(setImmediate);
    expect(running.usage().cpuSeconds).toBeGreaterThan(0);
  });

  it('reads what shells print for `times`', () => {
    expect(childSeconds('0m0.000s 0m0.010s\n1m2.500s 0m0.250s\n')).toBe(62.75);
    expect(childSeconds('0m0,00s 0m0,01s\n0m1,50s 0m0,25s\n')).toBe(1.75);
    expect(() => childSeconds('killed')).toThrow(/two lines/);
  });
});
