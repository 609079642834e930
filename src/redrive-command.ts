import { InvalidArgumentError, Option, type Command } from 'commander';
import { redrive } from './redrive.ts';

/** Gives `sluice redrive` its flags. */
export function describeRedrive(command: Command): Command {
  return command
    .description(
      'list dead letters, and send them back once they can pass; without --send nothing is changed',
    )
    .argument('<config>', 'YAML file')
    .addOption(
      new Option('--list', 'count them by day, stage, code, topic and sink (default)').conflicts([
        'show',
        'send',
        'out',
        'dryRun',
      ]),
    )
    .option('--verbose', 'a line for each letter, too')
    .option('--show <id>', 'print everything of the letter with this id, safely')
    .addOption(
      new Option('--send', 'messages to their topics, decisions to the sinks that refused them').conflicts([
        'show',
        'out',
      ]),
    )
    .addOption(
      new Option('--out <file>', 'messages to a new file, one a line, to be read by a file source').conflicts(
        ['show', 'to'],
      ),
    )
    .addOption(
      new Option('--dry-run', 'say exactly what would be sent, and change nothing').conflicts('show'),
    )
    .option('--to <topic>', 'topic for the messages instead of their own')
    .option('--again', 'also those that were sent back before')
    .option('--truncated', 'also those of which only the beginning was kept')
    .option('--max-times <number>', 'not those that were sent back so often (default: 3)', wholeNumber)
    .addOption(
      new Option('--timestamps <whose>', 'time stamps of the messages: their own, or the time of sending')
        .choices(['original', 'now'])
        .default('original'),
    )
    .addOption(
      new Option(
        '--from <where>',
        'files of the archive, or the topic (default: files if they are written)',
      ).choices(['files', 'topic']),
    )
    .addOption(new Option('--stage <stage>', 'only of this stage').choices(['decode', 'classify', 'deliver']))
    .option('--code <code>', 'only with this code, such as not_json')
    .option('--topic <topic>', 'only of this topic')
    .option('--partition <number>', 'only of this partition', wholeNumber)
    .option('--offsets <range>', 'only these offsets: first-last, or one')
    .option('--since <time>', 'only received at or after this date or time (ISO 8601)')
    .option('--until <time>', 'only received before it')
    .option('--sink <name>', 'only decisions that this sink refused')
    .option('--customer <id>', 'only of this customer, where the message says whose it is')
    .option('--grep <text>', 'only with this text in their bytes')
    .option(
      '--id <id>',
      'only with this id (may be repeated)',
      (id: string, before: string[] | undefined) => [...(before ?? []), id],
    )
    .option('--limit <number>', 'most letters that are listed or sent', positive)
    .option('--json', 'results as JSON lines')
    .action(redrive);
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError('expected a number from 1 on, such as 100');
  return Number(text);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected a whole number, such as 3');
  return Number(text);
}
