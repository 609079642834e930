import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MisconfiguredError } from '../../src/errors.ts';
import { AWS_ENVIRONMENT, AWS } from './aws.ts';
import { installOnce, isInstalled } from './cache.ts';
import { JAVA } from './java.ts';
import { MAVEN, copyJars } from './maven.ts';
import { HOST } from './ports.ts';
import { portOf, type Service } from './service.ts';
import { requireTools } from './tools.ts';

/** Version of DynamoDB Local: the newest whose dependencies are all on Maven Central. */
export const DYNAMODB_VERSION = '3.1.0';
/** The version of Jetty that it is built with. */
const JETTY_VERSION = '12.0.14';
const NAME = `dynamodb-${DYNAMODB_VERSION}`;
const HEALTH_TIMEOUT_MS = 2000;

/** AWS's DynamoDB Local over a file of SQLite: tables survive a kill. All regions and keys see the same tables. */
export const dynamodb: Service = {
  name: 'dynamodb',
  ports: ['http'],

  async install() {
    if (process.arch !== 'x64') {
      throw new MisconfiguredError(
        `dynamodb: expected a processor of type x64, got ${process.arch}: Maven Central has SQLite for Java (sqlite4java) for ` +
          'no other; run the container amazon/dynamodb-local (compose.yaml) and set SLUICE_DYNAMODB',
      );
    }
    const [, maven] = await requireTools('dynamodb', isInstalled(NAME) ? [JAVA] : [JAVA, MAVEN]);
    return installOnce(NAME, (directory) =>
      copyJars(maven!, directory, [
        `software.amazon.dynamodb:DynamoDBLocal:${DYNAMODB_VERSION}`,
        `org.eclipse.jetty:jetty-xml:${JETTY_VERSION}`,
      ]),
    );
  },

  async prepare(run) {
    await mkdir(join(run.directory, 'data'), { recursive: true });
    await writeFile(join(run.directory, 'server.xml'), serverXml(portOf(run, 'http')));
  },

  command: (_run, installed) => ({
    program: 'java',
    args: [
      // The quick compiler only: a start costs less.
      ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      [`-Djava.library.path=${join(installed, 'jars')}`],
      ['-cp', join(installed, 'jars', '*'), 'org.eclipse.jetty.xml.XmlConfiguration', 'server.xml'],
    ].flat(),
  }),

  healthy: (run) => answersListTables(`http://${HOST}:${portOf(run, 'http')}`),

  environment: (run) => ({
    SLUICE_DYNAMODB: `http://${HOST}:${portOf(run, 'http')}`,
    ...AWS_ENVIRONMENT,
  }),
};

/**
 * The server as a configuration of Jetty: https://jetty.org/docs/jetty/12/operations-guide/xml/index.html. Its own
 * command line has no option for the address and listens on all of them; and it reports to AWS, which this does not.
 */
function serverXml(port: number): string {
  const local = 'software.amazon.dynamodb.services.local.server';
  return `<?xml version="1.0"?>
<!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "https://jetty.org/configure_10_0.dtd">
<Configure id="server" class="org.eclipse.jetty.server.Server">
  <Call name="addConnector">
    <Arg>
      <New class="org.eclipse.jetty.server.ServerConnector">
        <Arg name="server"><Ref refid="server"/></Arg>
        <Set name="host">${HOST}</Set>
        <Set name="port">${port}</Set>
      </New>
    </Arg>
  </Call>
  <Set name="handler">
    <New class="${local}.LocalDynamoDBServerHandler">
      <Arg>
        <New class="${local}.LocalDynamoDBRequestHandler">
          <Arg type="int">0</Arg><!-- unused -->
          <Arg type="boolean">false</Arg><!-- in memory -->
          <Arg>data</Arg><!-- path -->
          <Arg type="boolean">true</Arg><!-- one database for all regions and keys -->
          <Arg type="boolean">false</Arg><!-- delay the states of tables -->
        </New>
      </Arg>
      <Arg/><!-- origins of other sites: none -->
    </New>
  </Set>
</Configure>
`;
}

/** Whether ListTables is answered; signatures are not checked, but their form is. */
async function answersListTables(url: string): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      authorization: `AWS4-HMAC-SHA256 Credential=${AWS.accessKey}/20260101/${AWS.region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: '{}',
  });
  await response.body?.cancel();
  return response.ok;
}
