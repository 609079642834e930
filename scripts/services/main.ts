/** The command line of the services: `npm run services -- up|down|start|stop|restart|status|env [names]`. */
import { Command } from 'commander';
import { isOperational } from '../../src/errors.ts';
import {
  SERVICE_NAMES,
  ensureServices,
  removeServices,
  restartService,
  serviceEnvironment,
  serviceStatus,
  startService,
  stopService,
  type ServiceStatus,
} from './index.ts';

const program = new Command('services')
  .description('Starts and stops the real servers that tests, the demo and benchmarks use.')
  .addHelpText('after', `\nServices: ${SERVICE_NAMES.join(', ')}; none named means all of them.`);

program
  .command('up [names...]')
  .description('install what is missing and start what does not run')
  .action(async (names: string[]) => {
    const { started } = await ensureServices(orAll(names));
    for (const status of await serviceStatus(orAll(names)))
      console.log(line(status, started.includes(status.name) ? 'started' : 'ran already'));
  });

program
  .command('down [names...]')
  .description('end what runs and remove its data')
  .action(async (names: string[]) => {
    for (const name of await removeServices(orAll(names))) console.log(`${name} removed`);
  });

program
  .command('status [names...]')
  .description('show address and health of each; exit code 1 unless all are healthy')
  .action(async (names: string[]) => {
    const statuses = await serviceStatus(orAll(names));
    for (const status of statuses) console.log(line(status));
    if (statuses.some(({ condition }) => condition !== 'healthy')) process.exitCode = 1;
  });

program
  .command('env [names...]')
  .description('print where they are, for `eval`')
  .action(async (names: string[]) => {
    for (const [name, value] of Object.entries(await serviceEnvironment(orAll(names))))
      console.log(
        // An empty AWS_PROFILE is no profile for some tools, and the name of one for others.
        value === '' ? `unset ${name}` : `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
      );
  });

program
  .command('start <names...>')
  .description('start again what was stopped, with its ports and data')
  .action((names: string[]) => each(names, (name) => startService(name)));

program
  .command('stop <names...>')
  .description('end it, keep its ports and data')
  .option('--kill', 'by SIGKILL', false)
  .action((names: string[], { kill }: { kill: boolean }) =>
    each(names, (name) => stopService(name, kill ? { signal: 'SIGKILL' } : {})),
  );

program
  .command('restart <names...>')
  .description('stop, then start')
  .option('--kill', 'by SIGKILL', false)
  .action((names: string[], { kill }: { kill: boolean }) =>
    each(names, (name) => restartService(name, kill ? { signal: 'SIGKILL' } : {})),
  );

function orAll(names: readonly string[]): readonly string[] {
  return names.length > 0 ? names : SERVICE_NAMES;
}

async function each(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
  for (const name of names) await act(name);
  for (const status of await serviceStatus(names)) console.log(line(status));
}

function line({ name, condition, address }: ServiceStatus, note?: string): string {
  return [name.padEnd(10), condition.padEnd(10), (address ?? '').padEnd(28), note ?? ''].join(' ').trimEnd();
}

try {
  await program.parseAsync();
} catch (error) {
  if (!isOperational(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
