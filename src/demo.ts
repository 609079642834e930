import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatRows, query } from './archive/index.ts';
import { configFrom } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import { createEvents } from './events.ts';
import { createPipeline } from './pipeline.ts';
import { showProgress } from './progress-bar.ts';
import { onStopSignal } from './signals.ts';
import type { Totals } from './totals.ts';
import { formatBytes } from './units.ts';
import { USUAL_NAMES } from './usual-names.ts';

const SAMPLE = fileURLToPath(new URL('../sample/content.jsonl.gz', import.meta.url));

/** What `sluice demo` takes. */
export interface DemoOptions {
  /** JSON lines, plain or gzip; the bundled sample when absent. */
  readonly input?: string;
  /** Directory of the archive. */
  readonly out: string;
}

/** Runs the main job on a file with the bundled model, shows its progress, and summarises the archive by SQL. */
export async function demo(options: DemoOptions): Promise<void> {
  const input = resolve(options.input ?? SAMPLE);
  if (!existsSync(input)) throw new MisconfiguredError(`--input ${options.input}: no such file`);
  const config = configFrom({
    name: 'demo',
    source: { type: 'file', inputs: [input] },
    ingest: { fields: options.input ? USUAL_NAMES : {} },
    archive: { store: { type: 'directory', path: options.out } },
  });
  print(
    options.input
      ? `Classifying ${options.input} with the bundled model into ${options.out}`
      : `Classifying the bundled sample stream with the bundled model into ${options.out}`,
  );
  const pipeline = createPipeline(config, createEvents('silent'));
  const stopBar = showProgress(pipeline);
  const off = onStopSignal(() => pipeline.stop());
  let totals: Totals;
  try {
    totals = await pipeline.run({ untilEnd: true });
  } finally {
    stopBar();
    off();
  }
  await summarise(options, totals);
}

function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

async function summarise(options: DemoOptions, totals: Totals): Promise<void> {
  const table = async (title: string, sql: string) => {
    print(`\n${title}`);
    print(formatRows(await query(sql, { root: options.out }), 'table'));
  };
  if (totals.messages === 0) {
    print(
      `\nNothing new: ${options.out} has every message of that input (delete it to start over), or it is empty.`,
    );
  } else {
    print(
      `\n${totals.messages.toLocaleString('en')} messages in ${totals.seconds.toFixed(1)} s: ` +
        `${totals.rows.toLocaleString('en')} rows, ${totals.dead_letters} dead letters, ${totals.skipped} skipped.`,
    );
  }
  await table(
    'Decisions by customer',
    `with flagged as (
       select customer, label, count(*) as n from (select customer, unnest(reasons) as label from content) group by all),
     labels as (
       select customer, string_agg(label || ' ' || n, ', ' order by n desc, label) as labels from flagged group by customer)
     select customer, count(*) as rows,
       count(*) filter (action = 'allow') as allow, count(*) filter (action = 'review') as review,
       count(*) filter (action = 'block') as block, any_value(labels) as labels
     from content left join labels using (customer)
     group by customer order by rows desc, customer limit 12`,
  );
  await table(
    'Languages',
    `with counted as (select coalesce(language, 'und') as language, count(*) as n from content group by all)
     select string_agg(language || ' ' || n, ', ' order by n desc, language) as "messages by language" from counted`,
  );
  const [files] = (
    await query(
      `select count(distinct filename) as files, count(*) as rows, count(distinct customer) as customers,
         count(distinct dt) as days from content`,
      { root: options.out },
    )
  ).rows;
  const [count, rows, customers, days] = (files ?? []).map(Number);
  print(
    `\nArchive ${options.out}: ${count} Parquet files, ${rows?.toLocaleString('en')} rows of ${customers} customers and ${days} days` +
      (totals.bytes > 0 ? `, ${formatBytes(totals.bytes)} written now` : ''),
  );
  const dead =
    'select code, count(*) as messages from dead_letters group by code order by messages desc, code';
  if ((await query(dead, { root: options.out })).rows.length > 0) await table('Dead letters', dead);
  const archive = options.out === './out' ? '' : ` --archive ${relative('', resolve(options.out)) || '.'}`;
  const inCheckout = existsSync('sluice.example.yaml');
  print(`
Try next:
  npx sluice query${archive} "select customer, content, scores from content where action = 'block' limit 10"
  ${inCheckout ? 'npm run demo --' : 'npx sluice demo'} --input YOUR.jsonl --out ./mine
  npx sluice ${inCheckout ? 'run sluice.example.yaml --until-end --json' : 'schema --markdown'}`);
}
