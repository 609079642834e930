import type { Command } from 'commander';
import {
  listWebhooks,
  redeliverWebhooks,
  switchWebhook,
  testWebhook,
  webhookLog,
  type RedeliverFlags,
} from './webhooks.ts';

interface JsonFlag {
  readonly json?: boolean;
}

/** Gives `sluice webhooks` its subcommands; `print` writes a result. */
export function describeWebhooks(command: Command, print: (text: string) => void): Command {
  command.description('look after webhook endpoints; see docs/webhooks.md');
  command
    .command('list')
    .description('every endpoint: its state, what its queue holds, its last result')
    .argument('<config>', 'YAML file')
    .option('--json', 'as one line of JSON')
    .action(async (file: string, flags: JsonFlag) => print(await listWebhooks(file, flags)));
  endpointCommand(command, 'test', 'send a signed example decision now; exit code 1 unless it is taken')
    .option('--json', 'as one line of JSON')
    .action(async (file: string, endpoint: string, flags: JsonFlag) => {
      const { text, ok } = await testWebhook(file, endpoint, flags);
      print(text);
      if (!ok) process.exitCode = 1;
    });
  endpointCommand(command, 'redeliver', 'send decisions again, with the ids that they had')
    .option('--id <id...>', 'these decisions')
    .option('--failed', 'all whose last attempt failed')
    .option('--since <time>', 'all decided at or after this date or time (ISO 8601)')
    .option('--until <time>', 'and before this one')
    .option('--dry-run', 'only say what would be sent')
    .option('--json', 'as one line of JSON')
    .action(async (file: string, endpoint: string, flags: RedeliverFlags) =>
      print(await redeliverWebhooks(file, endpoint, flags)),
    );
  endpointCommand(command, 'disable', 'send nothing to an endpoint; its decisions wait').action(
    async (file: string, endpoint: string) => print(await switchWebhook(file, endpoint, 'disable')),
  );
  endpointCommand(
    command,
    'enable',
    'send to an endpoint that was disabled, by command or since it answered 410',
  ).action(async (file: string, endpoint: string) => print(await switchWebhook(file, endpoint, 'enable')));
  endpointCommand(command, 'log', 'every attempt to deliver one decision')
    .argument('<id>', 'id of the decision')
    .option('--json', 'as one line of JSON')
    .action(async (file: string, endpoint: string, id: string, flags: JsonFlag) =>
      print(await webhookLog(file, endpoint, id, flags)),
    );
  return command;
}

function endpointCommand(command: Command, name: string, description: string): Command {
  return command
    .command(name)
    .description(description)
    .argument('<config>', 'YAML file')
    .argument('<endpoint>', 'its name, or sink/name');
}
