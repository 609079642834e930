import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

/** What `sluice verify` said. */
export interface Verdict {
  /** 0: the archive holds; 1: violations; 2: it could not be checked. */
  readonly code: number;
  /** Its JSON; its text when that is not JSON. */
  readonly report: unknown;
  /** Rows and dead letters that it counted; -1 where it says none. */
  readonly rows: number;
  readonly deadLetters: number;
  /** What it wrote beside it, when it failed. */
  readonly stderr: string;
}

/** Runs `sluice verify CONFIG --json`. */
export function verify(config: string, env: Readonly<Record<string, string>>): Promise<Verdict> {
  const cli = resolve(import.meta.dirname, '../../bin/sluice.js');
  return new Promise((done) => {
    execFile(
      process.execPath,
      [cli, 'verify', config, '--json'],
      { env: { ...process.env, ...env }, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        const report = parsed(stdout);
        const { rows = -1, dead_letters: deadLetters = -1 } = (report ?? {}) as Partial<
          Record<string, number>
        >;
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 2;
        done({ code, report, rows, deadLetters, stderr });
      },
    );
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
