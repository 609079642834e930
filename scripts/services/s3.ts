import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce } from './cache.ts';
import { execute } from './execute.ts';
import { answersHttp } from './http.ts';
import { HOST } from './ports.ts';
import { portOf, type Service } from './service.ts';
import { requireTools } from './tools.ts';

/** Version of the S3 server. */
export const VERSITYGW_VERSION = '1.8.0';
const REGION = 'us-east-1';
const ACCESS_KEY = 'sluice';
const SECRET_KEY = 'sluice-secret';

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
      ['--port', `${HOST}:${portOf(run, 'http')}`, '--access', ACCESS_KEY, '--secret', SECRET_KEY],
      ['--region', REGION, '--health', '/health', '--keep-alive', '--quiet', 'posix', 'data'],
    ].flat(),
  }),

  healthy: (run) => answersHttp(`http://${HOST}:${portOf(run, 'http')}/health`),

  environment: (run) => ({
    SLUICE_S3: `http://${HOST}:${portOf(run, 'http')}`,
    SLUICE_S3_DIRECTORY: join(run.directory, 'data'),
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_REGION: REGION,
    // Tests never reach an account that the machine is signed in to. Empty: to be unset.
    AWS_SESSION_TOKEN: '',
    AWS_PROFILE: '',
    AWS_EC2_METADATA_DISABLED: 'true',
  }),
};
