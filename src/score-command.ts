import type { Command } from 'commander';
import { score, type ScoreOptions } from './score.ts';

/** Describes `sluice score` on the command line. */
export function describeScore(command: Command): void {
  command
    .description(
      'score files or a slice of an archive into an archive of its own; interrupted, the same command goes on; see docs/score.md',
    )
    .argument(
      '<input...>',
      'Parquet or JSON lines (plain, gzip; globs; - for standard input), the directory of an archive, or either in S3 (s3://…)',
    )
    .requiredOption('--out <directory>', 'where the archive goes; one request, one directory')
    .option(
      '--config <file>',
      'models, policies, fields, sinks and S3 of this configuration (default: the bundled model)',
    )
    .option('--model <folder>', 'this model alone, with its defaults, instead; `drop` scores nothing')
    .option('--policies <file>', 'policies of this file instead (YAML, path or s3://…)')
    .option('--text-column <path>', 'where the text of foreign files is, such as body or content.text')
    .option(
      '--field <name=path>',
      'where another field is, as `ingest.fields` has it: id=uuid, customer==acme; may be repeated',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    )
    .option('--customer <id>', "of an archive: only this customer's rows")
    .option('--from <time>', 'of an archive: event times from this date or time (ISO 8601) on')
    .option('--to <time>', 'of an archive: event times before this')
    .option(
      '--changed-only',
      'keep only rows whose decision differs from the archived one, and list the changes',
    )
    .option(
      '--changes <file>',
      'where that list goes, as JSON lines or .parquet (default: _changes.jsonl in --out)',
    )
    .option('--deliver', 'tell the sinks of --config, too')
    .option('--json', 'end with one line of machine-readable totals on standard output')
    .action((inputs: string[], options: ScoreOptions) => score(inputs, options));
}
