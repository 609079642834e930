import { Option, type Command } from 'commander';
import { athenaDdl, columnTable, TABLES } from './archive/index.ts';
import { tablesOf, type CatalogFlags } from './catalog.ts';
import { configTables } from './config-table.ts';
import { jsonSchema } from './config.ts';
import { decisionJsonSchema } from './decision.ts';
import { policyJsonSchema } from './policy-file.ts';
import { receiverSchema, type ReceiverFlags } from './sinks/index.ts';

interface SchemaOptions extends CatalogFlags, ReceiverFlags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly athena?: boolean;
  readonly decision?: boolean;
  readonly policies?: boolean;
}

async function schemaOf(options: SchemaOptions): Promise<string> {
  const receiver = receiverSchema(options);
  if (receiver !== undefined) return receiver;
  if (options.athena) return (await tablesOf(options)).map(athenaDdl).join('\n\n');
  if (options.markdown) {
    const columns = Object.values(TABLES).map(
      (table) => `## Columns of ${table.name}\n\n${columnTable(table)}`,
    );
    return [`## Configuration\n\n${configTables()}`, ...columns].join('\n\n');
  }
  if (options.policies) return JSON.stringify(policyJsonSchema(), null, 2);
  return JSON.stringify(options.decision ? decisionJsonSchema() : jsonSchema(), null, 2);
}

/** Gives `sluice schema` its flags; `print` writes a result. */
export function describeSchema(command: Command, print: (text: string) => void): Command {
  return command
    .description('print the configuration schema and the columns of the archive')
    .addOption(
      new Option('--json', 'JSON Schema of the configuration (default)').conflicts(['markdown', 'athena']),
    )
    .addOption(
      new Option('--markdown', 'tables of configuration keys and archive columns').conflicts('athena'),
    )
    .addOption(
      new Option('--decision', 'JSON Schema of a decision, as sinks are told it').conflicts([
        'markdown',
        'athena',
      ]),
    )
    .addOption(
      new Option('--policies', 'JSON Schema of a policy file; see docs/policies.md').conflicts([
        'markdown',
        'decision',
        'athena',
      ]),
    )
    .addOption(
      new Option(
        '--postgres [table]',
        'DDL of the table of scores in PostgreSQL; see docs/scores.md',
      ).conflicts(['json', 'markdown', 'decision', 'athena', 'elasticsearch']),
    )
    .addOption(
      new Option('--elasticsearch [index]', 'index template of decisions; see docs/search.md').conflicts([
        'json',
        'markdown',
        'decision',
        'athena',
      ]),
    )
    .option('--athena', 'DDL of the Athena tables over the archive, with partition projection')
    .option('--location <url>', 'where the archive lies, for --athena (default: the S3 store of --config)')
    .option(
      '--config <file>',
      'whose labels, partitions and feedback, for --athena (default: the bundled model)',
    )
    .option('--table <name>', 'name of the table of content, for --athena (default: content)')
    .option('--feedback-table <name>', 'name of the table of feedback, for --athena (default: feedback)')
    .option('--since <day>', 'first day of the data, YYYY-MM-DD, for --athena (default: 2020-01-01)')
    .action(async (options: SchemaOptions) => print(await schemaOf(options)));
}
