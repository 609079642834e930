import { execute } from './execute.ts';
import type { Tool } from './tools.ts';

/** What all servers on the JVM run on. */
export const JAVA: Tool = {
  command: 'java',
  packages: ['openjdk-17-jre-headless'],
  description: 'java (17 or newer)',
  suffices: async (path) => Number(/version "(\d+)/.exec(await execute(path, ['-version']))?.[1]) >= 17,
};

/** log4j2.properties of such a server: warnings and errors on its standard output. */
export const LOG4J = `status = error
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m (%c)%n
`;
