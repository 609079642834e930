import { resolve } from 'node:path';
import { resolveModel } from './classify/index.ts';
import { modelConfig } from './classify/model-config.ts';
import { configFrom, loadConfig, type Config } from './config.ts';
import { MisconfiguredError } from './errors.ts';
import { ingestConfig, isRemote } from './ingest/index.ts';
import { SCORE_NAME } from './score-request.ts';
import { didYouMean } from './suggest.ts';
import { USUAL_NAMES } from './usual-names.ts';

/** The flags of `sluice score` that make its configuration. */
export interface ScoreFlags {
  /** Directory of the archive that is made. */
  readonly out: string;
  readonly config?: string;
  readonly model?: string;
  readonly policies?: string;
  readonly textColumn?: string;
  /** `name=path`, as `ingest.fields` has them. */
  readonly field?: readonly string[];
  readonly changedOnly?: boolean;
  readonly deliver?: boolean;
}

const { shape: FIELDS } = ingestConfig.shape.fields.unwrap();

/** The configuration that a scoring starts from: the file's, or defaults. Throws MisconfiguredError as `loadConfig` does. */
export function baseConfig({ config, out }: ScoreFlags): Config {
  if (config !== undefined) return loadConfig(config);
  const store = { type: 'directory', path: out } as const;
  return configFrom({ name: SCORE_NAME, source: { type: 'file', inputs: ['-'] }, archive: { store } });
}

/**
 * The configuration under which a scoring runs: a pipeline of its own from files into a directory. Models, policies, pacing
 * and the archive's files are as `base` says, or the flags; dead letters become files only, and sinks are told when asked
 * to. What is read of an archive has the names that Sluice gave it. Throws MisconfiguredError for flags that make no sense.
 */
export function scoreConfig(
  base: Config,
  flags: ScoreFlags,
  { kind, inputs }: { readonly kind: 'archive' | 'messages'; readonly inputs: readonly string[] },
): Config {
  const { feedback: _feedback, api: _api, ...others } = base;
  const fields = fieldsOf(flags);
  if (kind === 'archive' && Object.keys(fields).length > 0)
    throw new MisconfiguredError(
      '--text-column, --field: expected files of messages beside them, got an archive, whose columns are known',
    );
  const usual = flags.config === undefined ? USUAL_NAMES : base.ingest.fields;
  const mapping =
    kind === 'archive' ? { preset: 'sluice' as const, fields: {} } : { fields: { ...usual, ...fields } };
  const { source } = configFrom({ source: { type: 'file', inputs: ['-'] } });
  return {
    ...others,
    name: SCORE_NAME,
    source: source.type === 'file' ? { ...source, inputs: [...inputs] } : source,
    ingest: { ...base.ingest, ...mapping },
    classify: classifyOf(base, flags),
    archive: { ...base.archive, store: { type: 'directory', path: resolve(flags.out) } },
    rows: flags.changedOnly ? 'changed' : 'all',
    dead_letters: { files: true },
    sinks: flags.deliver ? base.sinks : {},
    server: { listen: 'off' },
  };
}

/** One run, one model: what comes later is for the next run. */
function classifyOf({ classify }: Config, { model, policies }: ScoreFlags): Config['classify'] {
  const { policies_from: _from, ...others } = classify;
  const at = (path: string) => (isRemote(path) ? path : resolve(path));
  return {
    ...(policies === undefined ? classify : { ...others, policies: {}, policies_from: at(policies) }),
    ...(model === undefined ? {} : oneModel(model)),
    reload: 'off',
  };
}

/** All keys of a model, at their defaults beside it: those of the file belong to another one. */
function oneModel(model: string) {
  const unset = Object.fromEntries(Object.keys(modelConfig.shape).map((key) => [key, undefined]));
  return { ...unset, ...modelConfig.parse({ model: resolveModel(model, process.cwd()) }), models: {} };
}

function fieldsOf({ textColumn, field = [] }: ScoreFlags): Config['ingest']['fields'] {
  const entries = field.map((text): [string, string] => {
    const at = text.indexOf('=');
    const name = text.slice(0, Math.max(at, 0));
    if (Object.hasOwn(FIELDS, name)) return [name, text.slice(at + 1)];
    const names = Object.keys(FIELDS);
    throw new MisconfiguredError(
      `--field: expected name=path with a name of ${names.join(', ')}, got ${JSON.stringify(text)}${didYouMean(name, names)}`,
    );
  });
  if (textColumn !== undefined) entries.push(['text', textColumn]);
  const result = ingestConfig.shape.fields.safeParse(Object.fromEntries(entries));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new MisconfiguredError(`--field ${issue!.path.join('.')}: ${issue!.message}`);
}
