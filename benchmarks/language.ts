/**
 * Measures what finds the language of public posts: `node benchmarks/language.ts --data DIR [--modules DIR] [detectors…]`.
 * DIR has the data sets of training/datasets.json; the folder of `--modules` has other libraries installed. Each detector
 * runs in a process of its own; the tables of docs/decisions/016-language.md come from here.
 */
import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { readScript } from '../src/classify/script.ts';
import { DETECTORS, type Guess } from './language/detectors.ts';
import { readPosts, type Post } from './language/posts.ts';

/** Languages that most libraries know, in their own script. In all others no answer is the best that most can do. */
const KNOWN = new Set(['en', 'de', 'fr', 'pt', 'zh', 'ko', 'th', 'ar', 'am', 'yo', 'kn', 'ml', 'ta']);
/** Languages that the bundled model judges; a certain answer outside of them keeps a text from it. */
const JUDGED = new Set(['en', 'de', 'fr', 'ar', 'zh', 'ko', 'ta', 'ml', 'kn']);
const JUDGED_IN_LATIN = new Set(['ta-Latn', 'ml-Latn', 'kn-Latn', 'ur-Latn']);
const LENGTHS = [8, 16, 32, 64, Infinity];

interface Flags {
  readonly data: string;
  readonly modules: string;
  readonly limit: string;
  readonly one?: boolean;
}

interface Measured {
  readonly known: Shares;
  readonly others: Shares;
  /** Posts in languages that the bundled model judges. */
  readonly judged: Shares;
  readonly byLength: readonly Shares[];
  readonly bySet: Readonly<Record<string, Shares>>;
  readonly micros: number;
  readonly loadSeconds: number;
  readonly megabytes: number;
}

/** Right and wrong answers, of all posts. */
interface Shares {
  readonly posts: number;
  readonly right: number;
  readonly wrong: number;
  /** Said with certainty to be in a language that the bundled model does not judge. */
  readonly unsupported: number;
}

function sharesOf(posts: readonly Post[], guesses: ReadonlyMap<Post, Guess>): Shares {
  let right = 0;
  let wrong = 0;
  let unsupported = 0;
  for (const post of posts) {
    const guess = guesses.get(post)!;
    if (guess.language === null || !guess.isReliable) continue;
    // `ta-Latn` is Tamil too.
    if (guess.language === post.language.split('-')[0]) right++;
    else wrong++;
    if (guess.isCertain && !JUDGED.has(guess.language)) unsupported++;
  }
  const count = posts.length;
  return { posts: count, right: right / count, wrong: wrong / count, unsupported: unsupported / count };
}

/** Means over sets, so that none outweighs the others. */
function meanOf(sets: readonly Shares[]): Shares {
  const mean = (key: 'right' | 'wrong' | 'unsupported') =>
    sets.reduce((sum, set) => sum + set[key], 0) / sets.length;
  return {
    posts: sets.reduce((sum, { posts }) => sum + posts, 0),
    right: mean('right'),
    wrong: mean('wrong'),
    unsupported: mean('unsupported'),
  };
}

async function measure(name: string, { data, modules, limit }: Flags): Promise<Measured> {
  const posts = await readPosts(data, Number(limit));
  const before = process.memoryUsage().rss;
  const started = performance.now();
  const detect = await DETECTORS[name]!(modules);
  detect('one text, so that it is loaded');
  const loadSeconds = (performance.now() - started) / 1000;
  for (const post of posts.filter((_, i) => i % 10 === 0)) detect(post.text);
  const cpu = process.cpuUsage();
  const guesses = new Map(posts.map((post) => [post, detect(post.text)]));
  const { user, system } = process.cpuUsage(cpu);
  const sets = Map.groupBy(posts, ({ set }) => set);
  const ofSets = (keep: (language: string) => boolean) =>
    [...sets.values()].filter(([post]) => keep(post!.language)).map((set) => sharesOf(set, guesses));
  const known = posts.filter(({ language }) => KNOWN.has(language));
  return {
    known: meanOf(ofSets((language) => KNOWN.has(language))),
    others: meanOf(ofSets((language) => !KNOWN.has(language))),
    judged: meanOf(ofSets((language) => JUDGED.has(language) || JUDGED_IN_LATIN.has(language))),
    byLength: LENGTHS.map((longest, i) =>
      sharesOf(
        known.filter(({ text }) => {
          const { letters } = readScript(text, 1000);
          return letters < longest && letters >= (LENGTHS[i - 1] ?? 0);
        }),
        guesses,
      ),
    ),
    bySet: Object.fromEntries([...sets].map(([set, list]) => [set, sharesOf(list, guesses)])),
    micros: (user + system) / posts.length,
    loadSeconds,
    megabytes: (process.memoryUsage().rss - before) / 1e6,
  };
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

function report(results: ReadonlyMap<string, Measured>): string {
  const all = [...results];
  const sets = Object.keys(all[0]![1].bySet);
  const three = (set: Shares) =>
    set.unsupported > 0 ? `${pair(set)} / ${(set.unsupported * 100).toFixed(2)}` : pair(set);
  const pair = ({ right, wrong }: Shares) => `${percent(right)} / ${percent(wrong)}`;
  const table = (head: readonly string[], rows: string[]) =>
    [row(head), row(head.map(() => '---')), ...rows, ''].join('\n');
  return [
    'Percent of all posts: right / wrong (the rest: no answer). Means of the sets.\n',
    table(
      ['detector', 'known languages', 'wrong of answers', 'others', 'µs CPU a text', 'load s', 'MB'],
      all.map(([name, { known, others, micros, loadSeconds, megabytes }]) =>
        row([
          name,
          pair(known),
          `${percent(known.wrong / (known.wrong + known.right))} %`,
          pair(others),
          micros.toFixed(0),
          loadSeconds.toFixed(2),
          megabytes.toFixed(0),
        ]),
      ),
    ),
    'Known languages by letters:\n',
    table(
      ['detector', ...LENGTHS.map((longest, i) => `${LENGTHS[i - 1] ?? 0} to ${longest - 1}`)],
      all.map(([name, { byLength }]) => row([name, ...byLength.map(pair)])),
    ),
    ...all
      .filter(([, { judged }]) => judged.unsupported > 0)
      .map(
        ([name, { judged }]) =>
          `${name}: of posts in languages that the bundled model judges, ${(judged.unsupported * 100).toFixed(2)} % are said with certainty to be in another one.\n`,
      ),
    'By set; for those that can be certain the third figure: called a language that the bundled model does not judge.\n',
    table(
      ['set', ...all.map(([name]) => name)],
      sets.map((set) => row([set, ...all.map(([, { bySet }]) => three(bySet[set]!))])),
    ),
  ].join('\n');
}

const program = new Command('language')
  .argument('[detectors...]', Object.keys(DETECTORS).join(', '), ['sluice'])
  .requiredOption('--data <directory>', 'the data sets')
  .option('--modules <directory>', 'where other libraries are installed', '.')
  .option('--limit <number>', 'posts of each set', '800')
  .option('--one', 'measure one detector in this process, and print JSON')
  .action(async (names: string[], flags: Flags) => {
    if (flags.one) {
      process.stdout.write(JSON.stringify(await measure(names[0]!, flags)));
      return;
    }
    const results = new Map<string, Measured>();
    for (const name of names) {
      const own = ['--one', '--data', flags.data, '--modules', flags.modules, '--limit', flags.limit];
      const json = execFileSync(process.execPath, [import.meta.filename, name, ...own], {
        encoding: 'utf8',
      });
      results.set(name, JSON.parse(json) as Measured);
    }
    process.stdout.write(`${report(results)}\n`);
  });

await program.parseAsync();
