import type { Command } from 'commander';
import { fitCascade } from './cascade/fit.ts';
import { fitText } from './cascade/report.ts';
import { MisconfiguredError } from './errors.ts';
import { parseShare } from './evaluate/gate.ts';
import { parseLabelColumn } from './evaluate/truth.ts';

interface FitFlags {
  readonly first: string;
  readonly second: string;
  readonly data: readonly string[];
  readonly maxLoss: string;
  readonly label?: readonly string[];
  readonly text?: string;
  readonly where?: string;
  readonly unlabelled?: boolean;
  readonly json?: boolean;
}

/** Gives `sluice cascade` its subcommand; `print` writes a result. */
export function describeCascade(command: Command, print: (text: string) => void): Command {
  command.description('a small model before a large one; see docs/cascade.md');
  command
    .command('fit')
    .description('find where the first model may decide alone, on labelled texts; prints configuration')
    .option('--first <model>', 'model folder of the first stage, or `first-stage`', 'first-stage')
    .option('--second <model>', 'model folder of the second stage, or `default`', 'default')
    .requiredOption(
      '--data <file...>',
      'labelled data: .parquet, .jsonl, .csv, .tsv (text formats also .gz, .zst)',
    )
    .option('--max-loss <share>', 'most that any measure may lose: ROC AUC, F1 at review and block', '0.5%')
    .option('--unlabelled', 'nothing is labelled: lose at most this share of equal actions')
    .option('--text <column>', 'column of the text (default: text or content)')
    .option(
      '--label <label=column...>',
      'column of a label under another name; with values that mean yes: toxic=class:0|1',
    )
    .option('--where <condition>', "only rows with it: SQL on the data's columns")
    .option('--json', 'the whole report as one line of JSON')
    .action(async (flags: FitFlags) => {
      const maxLoss = parseShare(flags.maxLoss);
      if (maxLoss === undefined || !(maxLoss >= 0))
        throw new MisconfiguredError(
          `--max-loss: expected a share such as 0.5% or 0.005, got "${flags.maxLoss}"`,
        );
      const report = await fitCascade({
        first: flags.first,
        second: flags.second,
        maxLoss,
        paths: flags.data,
        columns: (flags.label ?? []).map(parseLabelColumn),
        unlabelled: flags.unlabelled ?? false,
        ...(flags.text === undefined ? {} : { text: flags.text }),
        ...(flags.where === undefined ? {} : { where: flags.where }),
      });
      print(flags.json ? JSON.stringify(report) : fitText(report));
    });
  return command;
}
