import { execute } from './execute.ts';
import type { Tool } from './tools.ts';

/** What all servers on the JVM run on. */
export const JAVA: Tool = {
  command: 'java',
  packages: ['openjdk-17-jre-headless'],
  description: 'java (17 or newer)',
  suffices: async (path) => Number(/version "(\d+)/.exec(await execute(path, ['-version']))?.[1]) >= 17,
};
