import { execFile } from 'node:child_process';
import { OperationalError } from '../../src/errors.ts';

/** Lines of output that an error shows. */
const TAIL_LINES = 15;

/** The last lines of a text. */
export function tail(text: string, lines = TAIL_LINES): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/**
 * Runs a program to its end and resolves with its standard output and error together. Throws OperationalError with the
 * command and the end of its output when it cannot start or exits with another code than 0.
 */
export function execute(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  return new Promise((done, fail) => {
    execFile(
      program,
      args,
      { cwd: options.cwd, env: { ...process.env, ...options.env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`;
        if (!error) return done(output);
        const why = typeof error.code === 'number' ? `exited with code ${error.code}` : error.message;
        fail(
          new OperationalError(
            `expected \`${[program, ...args].join(' ')}\` to succeed, it ${why}:\n${tail(output)}`,
            {
              cause: error,
            },
          ),
        );
      },
    );
  });
}
