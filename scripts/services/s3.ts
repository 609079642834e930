import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AWS, AWS_ENVIRONMENT } from './aws.ts';
import { installOnce } from './cache.ts';
import { execute } from './execute.ts';
import { answersHttp } from './http.ts';
import { HOST } from './ports.ts';
import { portOf, type Service } from './service.ts';
import { requireTools } from './tools.ts';

/** Version of the S3 server. */
export const VERSITYGW_VERSION = '1.8.0';

/** versitygw over a directory: a bucket is a directory, an object a file, its metadata extended attributes. */
export const s3: Service = {
  name: 's3',
  ports: ['http'],

  install: () =>
    installOnce(`versitygw-${VERSITYGW_VERSION}`, async (directory) => {
      const [go] = await requireTools('s3', [{ command: 'go', packages: ['golang'] }]);
      await execute(go!, ['install', `github.com/versity/versitygw/cmd/versitygw@v${VERSITYGW_VERSION}`], {
        env: { GOBIN: directory, CGO_ENABLED: '0' },
      });
    }),

  async prepare({ directory }) {
    await mkdir(join(directory, 'data'), { recursive: true });
  },

  command: (run, installed) => ({
    program: join(installed, 'versitygw'),
    args: [
      ['--port', `${HOST}:${portOf(run, 'http')}`, '--access', AWS.accessKey, '--secret', AWS.secretKey],
      ['--region', AWS.region, '--health', '/health', '--keep-alive', '--quiet', 'posix', 'data'],
    ].flat(),
  }),

  healthy: (run) => answersHttp(`http://${HOST}:${portOf(run, 'http')}/health`),

  environment: (run) => ({
    SLUICE_S3: `http://${HOST}:${portOf(run, 'http')}`,
    SLUICE_S3_DIRECTORY: join(run.directory, 'data'),
    ...AWS_ENVIRONMENT,
  }),
};
