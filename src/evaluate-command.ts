import { InvalidArgumentError, Option, type Command } from 'commander';
import { evaluate, EVALUATE_EXIT, type EvaluateOptions } from './evaluate.ts';

/** What moderation tools call it when nothing is wrong. */
const HARMLESS =
  'allow allowed approve approved dismiss dismissed ignore ignored keep kept no_action none restore restored'.split(
    ' ',
  );

/** Gives `sluice evaluate` its flags. */
export function describeEvaluate(command: Command): Command {
  return command
    .description(
      'measure a model on labelled data, or compare it with another one; exit code 1 when a condition does not hold, 2 when it cannot be measured; see docs/evaluate.md',
    )
    .option('--model <model>', 'model folder, `default`, or a configuration file', 'default')
    .option('--against <model>', 'compare with this one, in the same forms')
    .requiredOption(
      '--data <file...>',
      'labelled data: .parquet, .jsonl, .csv, .tsv (text formats also .gz, .zst), or the directory of an archive with the feedback of moderators',
    )
    .option('--policies <file>', 'policy file for both: a path or s3://…')
    .option('--text <column>', 'column of the text (default: text or content)')
    .option('--language <column>', 'column of the language (default: language or lang; else detected)')
    .option('--default-language <tag>', 'language of rows that name none, instead of detecting it')
    .option('--customer <column>', 'column of the customer, for policies (default: customer)')
    .option(
      '--label <label=column...>',
      'column of a label under another name; with values that mean yes: toxic=class:0|1',
    )
    .option('--where <condition>', "only rows with it: SQL on the data's columns, such as \"split = 'test'\"")
    .option('--from <time>', 'of an archive: feedback at or after this date or time (ISO 8601)')
    .option('--to <time>', 'of an archive: feedback before it')
    .option(
      '--harmless <actions>',
      'of an archive: actions of moderators that mean nothing is wrong, separated by commas',
      (text: string) => text.split(',').map((action) => action.trim().toLowerCase()),
      HARMLESS,
    )
    .option(
      '--min <condition...>',
      'least figure: [label.][language.]metric=bound, such as auc=0.8, toxic.de.f1=70%',
    )
    .option('--max <condition...>', 'largest figure, such as calibration_error=0.05')
    .option('--max-flips <share>', 'most decisions that may differ from --against, such as 2%')
    .option(
      '--resamples <number>',
      'bootstrap resamples for the intervals; 0: no intervals',
      wholeNumber,
      200,
    )
    .option('--seed <number>', 'seed of the resamples', wholeNumber, 1)
    .option('--min-rows <number>', 'languages with fewer rows are left out of the tables', wholeNumber, 50)
    .addOption(new Option('--json', 'the whole report as one line of JSON').conflicts('markdown'))
    .option('--markdown', 'tables in Markdown')
    .action(async (options: EvaluateOptions) => {
      process.exitCode = EVALUATE_EXIT.unknown;
      process.exitCode = await evaluate(options);
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number, such as 200');
  return Number(text);
}
