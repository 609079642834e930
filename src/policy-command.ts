import { InvalidArgumentError, type Command } from 'commander';
import { testPolicy, type PolicyTestFlags } from './policy-test.ts';

/** Gives `sluice policy` its subcommands; `print` writes a result. */
export function describePolicy(command: Command, print: (text: string) => void): Command {
  command.description('look after policies; see docs/policies.md');
  command
    .command('test')
    .description(
      'say what policies would change of archived decisions; exit code 1 when more than --max-changes',
    )
    .argument(
      '[archive]',
      'directory or s3://bucket/prefix of an archive, or the configuration (.yaml) that writes it',
      './out',
    )
    .requiredOption('--policies <file>', 'the policies: YAML, a path or s3://…')
    .option('--against <file>', 'other policies to compare with, or what was `archived`', 'archived')
    .option('--customer <id>', 'only this customer')
    .option('--from <time>', 'only event times from this date or time (ISO 8601) on')
    .option('--to <time>', 'only event times before this')
    .option('--sample <share>', 'part of the rows, such as 5%: always the same ones', share, 1)
    .option('--max-changes <share>', 'most decisions that may change, such as 2%', share)
    .option('--examples <number>', 'rows that are shown of each kind of change', wholeNumber, 3)
    .option('--show-text', 'their texts, too')
    .option(
      '--model <folder...>',
      'models whose thresholds hold where a policy has none (default: those of the configuration, else the bundled one)',
    )
    .option('--json', 'as one line of JSON')
    .action(async (archive: string, flags: PolicyTestFlags) => {
      const { text, ok } = await testPolicy(archive, flags);
      print(text);
      if (!ok) process.exitCode = 1;
    });
  return command;
}

function share(text: string): number {
  const match = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  const percent = Number(match?.[1] ?? NaN);
  if (!(percent >= 0 && percent <= 100))
    throw new InvalidArgumentError('expected a percentage from 0% to 100%, such as 2%');
  return percent / 100;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number, such as 3');
  return Number(text);
}
