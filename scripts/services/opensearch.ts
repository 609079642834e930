import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce, isInstalled } from './cache.ts';
import { answersHttp } from './http.ts';
import { JAVA, LOG4J } from './java.ts';
import { MAVEN, copyJars } from './maven.ts';
import { HOST } from './ports.ts';
import { portOf, type Run, type Service } from './service.ts';
import { requireTools } from './tools.ts';
import { UNPRIVILEGED_TOOLS, unprivileged } from './unprivileged.ts';

/** Version of OpenSearch: 3.0 and newer want Java 21. */
export const OPENSEARCH_VERSION = '2.19.6';
const NAME = `opensearch-${OPENSEARCH_VERSION}`;
/** The one that it is built with; its own dependencies leave the output of its log to whoever runs it. */
const LOG4J_VERSION = '2.25.4';

/** https://docs.opensearch.org/2.19/install-and-configure/plugins/ */
const HTTP_MODULE = `name=transport-netty4
description=HTTP and transport by Netty
version=${OPENSEARCH_VERSION}
opensearch.version=${OPENSEARCH_VERSION}
java.version=11
classname=org.opensearch.transport.Netty4Plugin
`;

/** What Netty may do beyond the server's own policy. */
const HTTP_POLICY = `grant {
  permission java.net.SocketPermission "*", "accept,connect,resolve";
  permission java.lang.RuntimePermission "*";
  permission java.io.FilePermission "<<ALL FILES>>", "read";
};
`;

/**
 * OpenSearch, one node, without TLS and users: the real server's core with its HTTP module and no others, laid out like its
 * distribution. So there are no languages' analysers, no Painless scripts and no ingest pipelines; index, bulk, search,
 * templates and data streams are there.
 */
export const opensearch: Service = {
  name: 'opensearch',
  ports: ['http', 'transport'],

  async install() {
    const running = [JAVA, ...UNPRIVILEGED_TOOLS];
    const tools = isInstalled(NAME) ? running : [...running, MAVEN];
    const maven = (await requireTools('opensearch', tools)).at(-1);
    return installOnce(NAME, async (directory) => {
      const module = 'modules/transport-netty4';
      await copyJars(maven!, directory, [
        `org.opensearch:opensearch:${OPENSEARCH_VERSION}`,
        `org.opensearch:opensearch-plugin-classloader:${OPENSEARCH_VERSION}`,
        `org.apache.logging.log4j:log4j-core:${LOG4J_VERSION}`,
      ]);
      await mkdir(join(directory, 'modules'));
      await mkdir(join(directory, 'plugins'));
      await copyJars(
        maven!,
        directory,
        [`org.opensearch.plugin:transport-netty4-client:${OPENSEARCH_VERSION}`],
        module,
      );
      await writeFile(join(directory, module, 'plugin-descriptor.properties'), HTTP_MODULE);
      await writeFile(join(directory, module, 'plugin-security.policy'), HTTP_POLICY);
    });
  },

  async prepare(run) {
    for (const name of ['config', 'data', 'logs', 'tmp'])
      await mkdir(join(run.directory, name), { recursive: true });
    await writeFile(join(run.directory, 'config/opensearch.yml'), settings(run));
    await writeFile(join(run.directory, 'config/log4j2.properties'), LOG4J);
  },

  command: ({ directory }, installed) =>
    unprivileged({
      program: 'java',
      args: [
        ['-Xms512m', '-Xmx512m', '-XX:+UseSerialGC', '-Djava.security.manager=allow'],
        // The quick compiler only: a start costs half.
        ['-XX:TieredStopAtLevel=1'],
        [`-Djava.io.tmpdir=${join(directory, 'tmp')}`, '-Dlog4j2.disable.jmx=true'],
        // The server closes its log itself, last.
        ['-Dlog4j.shutdownHookEnabled=false'],
        [`-Dopensearch.path.home=${installed}`, `-Dopensearch.path.conf=${join(directory, 'config')}`],
        ['-cp', join(installed, 'jars', '*'), 'org.opensearch.bootstrap.OpenSearch'],
      ].flat(),
    }),

  // Yellow: every primary shard is there; replicas never are, on one node.
  healthy: (run) =>
    answersHttp(`http://${HOST}:${portOf(run, 'http')}/_cluster/health?wait_for_status=yellow&timeout=1s`),

  environment: (run) => ({ SLUICE_OPENSEARCH: `http://${HOST}:${portOf(run, 'http')}` }),
};

/** https://docs.opensearch.org/2.19/install-and-configure/configuring-opensearch/ */
function settings(run: Run): string {
  const values = {
    'cluster.name': 'sluice',
    'node.name': 'sluice',
    'discovery.type': 'single-node',
    'path.data': join(run.directory, 'data'),
    'path.logs': join(run.directory, 'logs'),
    'http.host': HOST,
    'http.port': portOf(run, 'http'),
    'transport.host': HOST,
    'transport.port': portOf(run, 'transport'),
    // A machine with little free disk would refuse writes.
    'cluster.routing.allocation.disk.threshold_enabled': false,
  };
  // JSON's scalars are YAML's.
  return Object.entries(values)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}
