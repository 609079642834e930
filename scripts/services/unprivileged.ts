import type { Command } from './service.ts';
import type { Tool } from './tools.ts';

/** The user and the group `nobody`, by number: https://systemd.io/UIDS-GIDS */
const NOBODY = '65534';

/** What `unprivileged` needs from this machine, for this user. */
export const UNPRIVILEGED_TOOLS: readonly Tool[] =
  process.getuid?.() === 0 ? [{ command: 'setpriv', packages: ['util-linux'] }] : [];

/**
 * The same command for servers that refuse to run as root: when this process is root, by setpriv(1) as nobody; else
 * unchanged. It keeps the one capability that root's cache and data, mostly below a closed home, cannot be reached without.
 */
export function unprivileged(command: Command): Command {
  if (process.getuid?.() !== 0) return command;
  const capability = '-all,+dac_override';
  return {
    ...command,
    program: 'setpriv',
    args: [
      [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
      ['--securebits=+no_setuid_fixup', `--inh-caps=${capability}`, `--ambient-caps=${capability}`],
      [command.program, ...command.args],
    ].flat(),
  };
}
