import { open, type FileHandle } from 'node:fs/promises';
import { MisconfiguredError, StoreError, messageOf } from '../errors.ts';
import type { OpenTarget } from './target.ts';

const LINE_END = Buffer.from('\n');

/** A new file as a target, one message a line; durable before `send` resolves. Throws MisconfiguredError when it is there already. */
export function createLineTarget(path: string): OpenTarget<{ readonly line: Uint8Array }> {
  let opened: Promise<FileHandle> | undefined;

  async function create(): Promise<FileHandle> {
    try {
      return await open(path, 'wx');
    } catch (error) {
      throw new MisconfiguredError(
        `--out: expected a file that can be made and is not there, got ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
  }

  return {
    async send(planned) {
      const file = await (opened ??= create());
      try {
        await file.appendFile(Buffer.concat(planned.flatMap(({ line }) => [line, LINE_END])));
        await file.sync();
      } catch (error) {
        throw new StoreError(`--out ${path}: ${messageOf(error)}`, { cause: error });
      }
      return new Map();
    },
    async close() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}
