/** Gives `@confluentinc/kafka-javascript` its native part: `npm run kafka-javascript`. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isOperational, messageOf, MisconfiguredError } from '../src/errors.ts';
import { installOnce } from './services/cache.ts';
import { execute } from './services/execute.ts';
import { requireTools, type Tool } from './services/tools.ts';

const NAME = '@confluentinc/kafka-javascript';
const INSTALLED = resolve(import.meta.dirname, '..', 'node_modules', NAME);
const NODE_GYP = '12.4.0';
/** What librdkafka must have been built with: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md (builtin.features). */
const FEATURES = ['gzip', 'snappy', 'lz4', 'zstd', 'ssl', 'sasl_plain', 'sasl_scram', 'sasl_oauthbearer'];
/** What compiling needs. Headers are looked for by the compiler that will use them. */
const TOOLS: readonly Tool[] = [
  { command: 'make', packages: ['make'] },
  { command: 'python3', packages: ['python3'] },
  { command: 'g++', packages: ['g++'] },
  header('openssl/ssl.h', 'libssl-dev'),
  header('zlib.h', 'zlib1g-dev'),
  header('zstd.h', 'libzstd-dev'),
];

function header(file: string, debianPackage: string): Tool {
  return {
    command: 'gcc',
    packages: ['gcc', debianPackage],
    description: `gcc with <${file}>`,
    suffices: async (gcc) => {
      await execute(gcc, ['-E', '-include', file, '-x', 'c', '/dev/null', '-o', '/dev/null']);
      return true;
    },
  };
}

/**
 * Makes the package loadable for the Node that runs this, and resolves with its librdkafka's version. `npm ci` brings its
 * JavaScript only, since install scripts are off. The native part is downloaded from the package's release page; where that
 * cannot be reached it is compiled (about a minute on two cores) with headers that come from the npm registry. It is kept
 * in the cache, one for each version of the package and of Node's ABI, and linked to. Throws MisconfiguredError when the
 * package or a tool is missing, and OperationalError with the output of a step that failed.
 */
export async function installKafkaJavascript(): Promise<string> {
  if (!existsSync(join(INSTALLED, 'package.json')))
    throw new MisconfiguredError(`expected ${NAME} in node_modules, found none: run \`npm ci\``);
  try {
    return await load(INSTALLED);
  } catch {
    // Not there yet, or made for another Node.
  }
  const { version } = JSON.parse(readFileSync(join(INSTALLED, 'package.json'), 'utf8')) as {
    version: string;
  };
  const { platform, arch, versions } = process;
  const name = `kafka-javascript-${version}-node${versions.modules}-${platform}-${arch}`;
  const place = await installOnce(name, (directory) => build(directory, version));
  // A link, set at once: a process that has the old library open keeps it whole.
  const link = join(INSTALLED, `build.${process.pid}`);
  await symlink(place, link);
  await rm(join(INSTALLED, 'build'), { recursive: true, force: true });
  await rename(link, join(INSTALLED, 'build'));
  return load(INSTALLED);
}

/** Loads the package in a process of its own, where nothing can be left half loaded. */
async function load(directory: string): Promise<string> {
  const code = `try {
      const { features, librdkafkaVersion } = require(${JSON.stringify(directory)});
      console.log(JSON.stringify({ features, librdkafkaVersion }));
    } catch (error) { console.error(error.message); process.exit(1); }`;
  const output = await execute(process.execPath, ['-e', code]);
  const loaded = JSON.parse(output) as { features: string[]; librdkafkaVersion: string };
  const missing = FEATURES.filter((feature) => !loaded.features.includes(feature));
  if (missing.length > 0)
    throw new MisconfiguredError(
      `expected ${NAME} with ${FEATURES.join(', ')}, got one without ${missing.join(', ')}: remove ${directory}/build and try again`,
    );
  return loaded.librdkafkaVersion;
}

async function build(directory: string, version: string): Promise<void> {
  const work = join(directory, 'work');
  await mkdir(work);
  await writeFile(join(work, 'package.json'), '{ "private": true }\n');
  await npmInstall(work, `${NAME}@${version}`);
  const source = join(work, 'node_modules', NAME);
  const preGyp = join(work, 'node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp');
  try {
    await execute(process.execPath, [preGyp, 'install'], { cwd: source });
    await load(source);
  } catch (error) {
    console.error(
      `No prebuilt binary (${messageOf(error).split('\n').at(-1)}): compiling, a minute or two ...`,
    );
    await compile(work, source);
    await load(source);
  }
  // Laid out as the package expects it below `build`: the library is found relative to the binary.
  for (const [folder, pattern] of [
    ['Release', /\.node$/],
    ['deps', /\.so\.\d+$|\.\d+\.dylib$/],
  ] as const) {
    await mkdir(join(directory, folder));
    const names = await readdir(join(source, 'build', folder)).catch(() => []);
    for (const name of names.filter((each) => pattern.test(each)))
      await rename(join(source, 'build', folder, name), join(directory, folder, name));
  }
  await rm(work, { recursive: true });
}

async function compile(work: string, source: string): Promise<void> {
  await requireTools(`compiling ${NAME}`, TOOLS);
  await npmInstall(work, `node-gyp@${NODE_GYP}`);
  const nodeGyp = join(work, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  await execute(process.execPath, [nodeGyp, 'rebuild'], {
    cwd: source,
    env: {
      // Not the flag: node-gyp lets the environment win, and npm puts there what the user's .npmrc says.
      npm_config_nodedir: await headers(work),
      // The package's other way downloads the sources of OpenSSL, zlib and zstd; this one takes the machine's.
      CKJS_LINKING: 'dynamic',
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    },
  });
}

/** A directory whose `include/node` is of the Node that runs this: its own, or that of npm's package with the same Node. */
async function headers(work: string): Promise<string> {
  const own = resolve(process.execPath, '..', '..');
  const text = await readFile(join(own, 'include', 'node', 'node_version.h'), 'utf8').catch(() => '');
  const number = (part: string) => new RegExp(`#define NODE_${part}_VERSION (\\d+)`).exec(text)?.[1];
  if (['MAJOR', 'MINOR', 'PATCH'].map(number).join('.') === process.versions.node) return own;
  const name = `node-${process.platform}-${process.arch}`;
  await npmInstall(work, `${name}@${process.versions.node}`);
  return join(work, 'node_modules', name);
}

async function npmInstall(work: string, what: string): Promise<void> {
  const npm = process.env.npm_execpath;
  const args = ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund', what];
  await (npm ? execute(process.execPath, [npm, ...args]) : execute('npm', args));
}

if (import.meta.main) {
  try {
    console.log(`${NAME} loads, with librdkafka ${await installKafkaJavascript()}`);
  } catch (error) {
    console.error(isOperational(error) ? `kafka-javascript: ${error.message}` : error);
    process.exitCode = 1;
  }
}
