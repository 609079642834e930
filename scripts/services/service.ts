/** One run of a service: where it lives and which ports it has. Paths are absolute. */
export interface Run {
  /** The service's own directory; `down` removes it with everything in it. */
  readonly directory: string;
  /** Port by the name that the service gives it in `ports`. */
  readonly ports: Readonly<Record<string, number>>;
}

/** A program with its arguments, to be started in the directory of the run. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment of this process, of which AWS_* is left out. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A real server that tests, the demo and benchmarks use. To add one: its file, and its line in services.ts. */
export interface Service {
  readonly name: string;
  /** Names of the ports that it listens on; free ones are chosen before the first start and kept until `down`. */
  readonly ports: readonly string[];
  /**
   * Finds the program, or installs it once per machine, and resolves with its path: a binary, or a directory of the cache.
   * Throws MisconfiguredError naming each tool that the machine lacks for it.
   */
  install(): Promise<string>;
  /** Writes configuration and empty data; runs before every start, so it keeps data that is there. */
  prepare(run: Run, installed: string): Promise<void>;
  command(run: Run, installed: string): Command;
  /** Asks it to end, whatever its clients are at. Default: SIGTERM. */
  readonly endSignal?: NodeJS.Signals;
  /** Ends what outlives its process when that is killed; runs after every end and before every start. Default: nothing does. */
  endRest?(run: Run): Promise<void>;
  /** Whether the server answers its own protocol; false or a rejection: not yet. */
  healthy(run: Run): Promise<boolean>;
  /** Environment variables that tell where it is; the first one is its address. */
  environment(run: Run): Readonly<Record<string, string>>;
}

/** The port of that name. Throws when the service has no such port: a bug. */
export function portOf(run: Run, name: string): number {
  const port = run.ports[name];
  if (port === undefined)
    throw new Error(`expected a port named ${name}, got ${Object.keys(run.ports).join(', ')}`);
  return port;
}
