import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from './execute.ts';
import type { Tool } from './tools.ts';

export const MAVEN: Tool = { command: 'mvn', packages: ['maven'] };

/**
 * Copies artifacts of Maven Central (`group:name:version` each), with all that they need at run time, into the folder `into`
 * of `directory`. `maven` is the path of mvn.
 */
export async function copyJars(
  maven: string,
  directory: string,
  artifacts: readonly string[],
  into = 'jars',
): Promise<void> {
  const pom = join(directory, 'pom.xml');
  await writeFile(pom, project(artifacts));
  await execute(
    maven,
    [
      ['-B', '-q', '-f', pom, 'dependency:copy-dependencies'],
      ['-DincludeScope=runtime', `-DoutputDirectory=${join(directory, into)}`],
    ].flat(),
    { cwd: directory },
  );
}

/** A project that depends on these artifacts: https://maven.apache.org/pom.html */
function project(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(':');
    return `    <dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>\n`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId><artifactId>services</artifactId><version>1</version>
  <dependencies>
${dependencies.join('')}  </dependencies>
</project>
`;
}
