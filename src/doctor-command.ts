import { InvalidArgumentError, type Command } from 'commander';
import { doctor, type DoctorOptions } from './doctor.ts';

/** Describes `sluice doctor`; `print` writes to standard output. */
export function describeDoctor(command: Command, print: (text: string) => void): void {
  command
    .description(
      'say which execution providers this machine can run models on, and how to install what is missing; exit code 1 when none can, or no provider of a model of the configuration; see docs/gpu.md',
    )
    .argument('[config]', 'YAML file')
    .option('--device <number>', 'number of the GPU', deviceNumber, 0)
    .option('--json', 'the findings as one line of JSON')
    .action(async (file: string | undefined, options: DoctorOptions) => {
      const { text, code } = await doctor(file, options);
      print(text);
      process.exitCode = code;
    });
}

function deviceNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('expected a whole number, such as 0');
  return Number(text);
}
