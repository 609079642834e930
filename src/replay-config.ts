import type { Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';

/** Longest name of a pipeline. */
const MAX_NAME = 63;

/**
 * The configuration under which a replay runs, and is verified: a pipeline, a consumer group and an archive of its own,
 * beside those of the pipeline that it repeats, so that readers of the archive do not see its rows. Dead letters become
 * files only, since the topic had them before; sinks are told nothing again. Throws MisconfiguredError for a source that cannot be replayed, and for a
 * label that makes no name.
 */
export function replayConfig(config: Config, label: string): Config {
  const { source, archive } = config;
  if (source.type !== 'kafka') {
    throw new MisconfiguredError(
      `replay: expected a source of type kafka, got ${source.type}; to archive files again, run them with another archive.store.path`,
    );
  }
  const name = `${config.name}-replay-${label}`;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(label) || name.length > MAX_NAME) {
    throw new MisconfiguredError(
      `--label: expected lower-case letters, digits and dashes, at most ${MAX_NAME - name.length + label.length} of them, got ${JSON.stringify(label)}`,
    );
  }
  return {
    ...config,
    name,
    source: { ...source, group: `${source.group ?? config.name}-replay-${label}` },
    archive: { ...archive, store: replayStore(archive.store, label) },
    dead_letters: { files: true },
    sinks: {},
    server: { listen: 'off' },
  };
}

/**
 * Beside the archive: `<path>-replays/<label>`, `<prefix>-replays/<label>/`. A bucket that is an archive as a whole has no
 * beside: `_replays/<label>/` there, which Athena and pyarrow do not look into.
 */
function replayStore(store: Config['archive']['store'], label: string): Config['archive']['store'] {
  if (store.type === 'directory') return { ...store, path: `${store.path}-replays/${label}` };
  const { prefix } = store;
  return {
    ...store,
    prefix: prefix === '' ? `_replays/${label}/` : `${prefix.slice(0, -1)}-replays/${label}/`,
  };
}
