// Installs the dependencies when they are missing or older than the lock file, so that `npm run demo` and `npm test`
// work on a fresh clone. Plain JavaScript: it runs on whatever Node the machine has, before ours is installed.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

const installed = statSync('node_modules/.package-lock.json', { throwIfNoEntry: false });
const wanted = statSync('package-lock.json');
if (!installed || installed.mtimeMs < wanted.mtimeMs) {
  console.error('Installing dependencies (npm ci), once ...');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (result.status !== 0) {
    console.error('npm ci failed; see its messages above. Is a package registry reachable?');
    process.exit(result.status ?? 1);
  }
}
