import { Presets, SingleBar } from 'cli-progress';
import { classifyConfig, type ClassifyConfig } from './classify/index.ts';
import { loadConfig } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import { failuresOf, parseCondition, parseShare, type Failure } from './evaluate/gate.ts';
import { readLabelledData, type LabelledData } from './evaluate/labelled-data.ts';
import { withLocalData } from './evaluate/local-data.ts';
import { markdownOf, tablesOf, textOf } from './evaluate/report-table.ts';
import { reportOf, type EvaluateReport } from './evaluate/report.ts';
import { withSides } from './evaluate/score-texts.ts';
import { parseLabelColumn } from './evaluate/truth.ts';
import type { LoadedSide } from './evaluate/worker.ts';
import { resolveClassify } from './resolve-classify.ts';
import { s3ConnectionConfig } from './s3-connection-config.ts';

/** What `sluice evaluate` takes; docs/evaluate.md. */
export interface EvaluateOptions {
  /** Model folder, `default`, or a configuration file whose `classify` is meant. */
  readonly model: string;
  readonly against?: string;
  readonly data: readonly string[];
  readonly policies?: string;
  readonly text?: string;
  readonly language?: string;
  readonly defaultLanguage?: string;
  readonly customer?: string;
  readonly label?: readonly string[];
  readonly where?: string;
  readonly from?: string;
  readonly to?: string;
  readonly harmless: readonly string[];
  readonly min?: readonly string[];
  readonly max?: readonly string[];
  readonly maxFlips?: string;
  readonly resamples: number;
  readonly seed: number;
  readonly minRows: number;
  readonly json?: boolean;
  readonly markdown?: boolean;
}

/** Exit codes of `sluice evaluate`: the gate holds, it does not, it cannot tell. */
export const EVALUATE_EXIT = { passed: 0, failed: 1, unknown: 2 } as const;

/**
 * Measures a model, or a configuration, on labelled data, compares it with another one, prints the report, and returns
 * the exit code: 1 when a condition does not hold. Throws MisconfiguredError and InputError for what cannot be measured.
 */
export async function evaluate(options: EvaluateOptions): Promise<number> {
  const conditions = [
    ...(options.min ?? []).map((text) => parseCondition('min', text)),
    ...(options.max ?? []).map((text) => parseCondition('max', text)),
  ];
  const maxFlips = options.maxFlips === undefined ? undefined : flipsOf(options);
  const sides = [options.model, ...(options.against === undefined ? [] : [options.against])];
  const configs: ClassifyConfig[] = [];
  for (const side of sides) configs.push(await sideOf(side, options));
  const report = await withSides(configs, async (loaded, score) => {
    const s3 = configs[0]!.s3 ?? s3ConnectionConfig.parse({});
    const data = await withLocalData(options.data, s3, (paths) =>
      dataOf(loaded, { ...options, data: paths }),
    );
    const bar = progress(data.rows);
    try {
      const verdicts = await score(data, (rows) => bar.update(rows));
      bar.stop();
      return reportOf(data, verdicts, options);
    } finally {
      bar.stop();
    }
  });
  const failures = failuresOf(report, conditions, maxFlips);
  print(options, report, failures);
  return failures.length > 0 ? EVALUATE_EXIT.failed : EVALUATE_EXIT.passed;
}

function flipsOf({ maxFlips, against }: EvaluateOptions): number {
  const share = parseShare(maxFlips!);
  if (share === undefined)
    throw new MisconfiguredError(`--max-flips: expected a share such as 2% or 0.02, got "${maxFlips}"`);
  if (against === undefined)
    throw new MisconfiguredError('--max-flips: expected --against beside it, to compare with');
  return share;
}

/** As the pipeline would run it: newest versions, policies, hash lists, all on this machine. */
async function sideOf(side: string, { policies }: EvaluateOptions): Promise<ClassifyConfig> {
  const classify = /\.ya?ml$/i.test(side) ? loadConfig(side).classify : classifyConfig.parse({ model: side });
  const own = policies === undefined ? classify : { ...classify, policies: {}, policies_from: policies };
  const { config, offline } = await resolveClassify(own);
  for (const reason of offline)
    process.stderr.write(
      `${side}: S3 could not be asked, what was downloaded before is measured: ${reason}\n`,
    );
  return config;
}

async function dataOf(loaded: readonly LoadedSide[], options: EvaluateOptions): Promise<LabelledData> {
  const labels = [...new Set(loaded.flatMap((side) => side.labels))];
  const columns = (options.label ?? []).map(parseLabelColumn);
  const stranger = columns.find(({ label }) => !labels.includes(label));
  if (stranger)
    throw new MisconfiguredError(
      `--label: expected a label of the model (${labels.join(', ')}), got "${stranger.label}"`,
    );
  const again = columns.find(({ label }, i) => columns.findIndex((each) => each.label === label) !== i);
  if (again) throw new MisconfiguredError(`--label: expected each label once, got ${again.label} twice`);
  const data = await readLabelledData({ ...options, paths: options.data, labels, columns });
  const { defaultLanguage } = options;
  if (data.truth.size > 0) {
    return defaultLanguage === undefined
      ? data
      : { ...data, language: data.language.map((tag) => tag ?? defaultLanguage) };
  }
  throw new MisconfiguredError(
    `${options.data.join(', ')}: expected rows with one of the labels ${labels.join(', ')}, got ${data.rows} rows without any`,
  );
}

/** A bar on a terminal; nothing elsewhere. */
function progress(rows: number): SingleBar {
  const bar = new SingleBar(
    {
      format: ' {bar} {percentage}% | {value} of {total} texts | {eta} s left',
      hideCursor: true,
      barsize: 30,
    },
    Presets.shades_classic,
  );
  bar.start(rows, 0);
  return bar;
}

function print(options: EvaluateOptions, report: EvaluateReport, failures: readonly Failure[]): void {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  if (options.json) {
    say(JSON.stringify({ ...report, failures }));
    return;
  }
  const tables = tablesOf(report, options.minRows);
  say(options.markdown ? markdownOf(tables) : textOf(tables));
  if (report.not_scored.length > 0)
    say(`\nlabels of the data that are not scored: ${report.not_scored.join(', ')}`);
  for (const { model, poison } of [report, ...(report.against ? [report.against] : [])])
    if (poison > 0)
      say(`\n${model} failed on ${poison} rows, which are in no figure: they would be dead letters`);
  for (const { condition, detail } of failures) say(`\n${condition}: failed: ${detail}`);
}
