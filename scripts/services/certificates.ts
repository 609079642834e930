import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from './execute.ts';

const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
const VALID = '-days 3650';

/** Files of a certificate authority made for one run, all PEM. */
export interface Certificates {
  /** What a client trusts. */
  readonly authority: string;
  /** Private key (PKCS#8) and certificate of the server, for 127.0.0.1 and localhost. */
  readonly server: string;
}

/** Makes an authority and a server certificate of it with openssl, unless they are in `directory` already. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const authority = join(directory, 'ca.pem');
  const server = join(directory, 'server.pem');
  if (existsSync(server)) return { authority, server };
  await writeFile(join(directory, 'server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const openssl = (args: string) => execute('openssl', args.split(' '), { cwd: directory });
  await openssl(`req -x509 ${NEW_KEY} ${VALID} -subj /CN=sluice-authority -keyout ca.key -out ca.pem`);
  await openssl(`req ${NEW_KEY} -subj /CN=localhost -keyout server.key -out server.csr`);
  await openssl(
    `x509 -req ${VALID} -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext -out server.crt`,
  );
  const parts = ['server.key', 'server.crt'].map((name) => readFile(join(directory, name)));
  // Last: its presence says that all of it was made.
  await writeFile(server, Buffer.concat(await Promise.all(parts)), { mode: 0o600 });
  for (const name of ['ca.key', 'server.key', 'server.csr', 'server.ext', 'server.crt'])
    await rm(join(directory, name), { force: true });
  return { authority, server };
}
