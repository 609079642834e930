import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openModels, type ClassifyConfig } from './classify/index.ts';
import { configFrom, loadConfig } from './config.ts';
import { InputError } from './errors.ts';
import { createObjectFiles, isObjectUrl, type ObjectFiles } from './object-files.ts';
import { loadPolicies } from './policy-file.ts';
import {
  openArchivedFiles,
  type ArchivedFiles,
  type ArchivedRows,
  type ArchivedRowsQuery,
} from './policy/archived-rows.ts';
import { createChanges, reasonOf, type Changes } from './policy/changes.ts';
import { createRedecide, type KnownModel, type Redecide, type Redecided } from './policy/decide-archived.ts';
import { changesJson, describeChanges } from './policy/describe-changes.ts';
import { parseTime } from './replay-range.ts';
import { resolveClassify } from './resolve-classify.ts';
import { s3ConnectionConfig, type S3ConnectionConfig } from './s3-connection-config.ts';
import { findScoreInputs } from './score-inputs.ts';
import { ACTIONS } from './types.ts';

/** What `sluice policy test` takes. */
export interface PolicyTestFlags {
  /** Policy file: a path or `s3://…`. */
  readonly policies: string;
  /** Another policy file, or `archived`: what was decided then. */
  readonly against: string;
  readonly customer?: string;
  /** Event times, ISO 8601. */
  readonly from?: string;
  readonly to?: string;
  /** Part of the rows, 0 to 1. */
  readonly sample: number;
  /** Most changed decisions, 0 to 1. */
  readonly maxChanges?: number;
  /** Shown of each kind of change. */
  readonly examples: number;
  readonly showText?: boolean;
  /** Models whose thresholds hold where a policy has none; else those of the configuration, else the bundled one. */
  readonly model?: readonly string[];
  readonly json?: boolean;
}

/**
 * Says what policies would change of decisions that are archived, in a directory, in S3, or where a configuration (a `.yaml`
 * file) archives. `ok` is false when more changes than `maxChanges`. Throws MisconfiguredError for a wrong policy file and
 * InputError when the slice has no rows.
 */
export async function testPolicy(
  place: string,
  flags: PolicyTestFlags,
): Promise<{ readonly text: string; readonly ok: boolean }> {
  const found = placeOf(place, flags);
  const files = createObjectFiles(found.s3);
  const archived = await openArchivedFiles();
  try {
    const models = await modelsOf(found);
    const bounds = {
      customer: flags.customer,
      from: flags.from === undefined ? undefined : parseTime('--from', flags.from),
      to: flags.to === undefined ? undefined : parseTime('--to', flags.to),
    };
    const { inputs } = await findScoreInputs([found.archive], { bounds, s3: found.s3 });
    const changes = createChanges(flags);
    let sides: Sides | undefined;
    // Files of another time may have labels that the first one has not; opening those here costs little.
    const known: string[] = [];
    for (const input of inputs) if (!isObjectUrl(input)) known.push(...(await archived.labelsOf(input)));
    for await (const path of localFiles(inputs, files)) {
      sides ??= await sidesOf(flags, files, models, [...known, ...(await archived.labelsOf(path))]);
      await compareFile(path, { archived, sides, changes, query: { ...bounds, ...queryOf(flags) } });
    }
    return report(changes.result(), flags, sides);
  } finally {
    archived.close();
    files.close();
  }
}

interface Sides {
  readonly labels: readonly string[];
  readonly after: Redecide;
  /** Undefined: what is archived. */
  readonly before: Redecide | undefined;
}

interface Place {
  /** Directory, or `s3://…`. */
  readonly archive: string;
  readonly s3: S3ConnectionConfig;
  /** Each names models that are loaded together. */
  readonly classify: readonly ClassifyConfig[];
}

function placeOf(place: string, { model }: PolicyTestFlags): Place {
  const isConfig = /\.ya?ml$/i.test(place);
  const withModel = (path: string) =>
    configFrom({ source: { type: 'file', inputs: ['-'] }, classify: { model: path, language: 'off' } });
  const config = isConfig ? loadConfig(place) : withModel('default');
  const { store } = config.archive;
  return {
    archive: isConfig ? (store.type === 's3' ? `s3://${store.bucket}/${store.prefix}` : store.path) : place,
    s3: config.classify.s3 ?? s3ConnectionConfig.parse({}),
    classify: model ? model.map((path) => withModel(path).classify) : [config.classify],
  };
}

/** Loaded as the pipeline loads them, so that ids and thresholds are those of the pipeline. */
async function modelsOf({ classify, s3 }: Place): Promise<KnownModel[]> {
  const models: KnownModel[] = [];
  for (const { policies_from: _, ...wanted } of classify) {
    const { config } = await resolveClassify({ ...wanted, s3, policies: {}, hash_lists: {} });
    const opened = await openModels(config);
    await opened.close();
    for (const { id, labels, classifier } of opened.models) {
      const { thresholds, languageThresholds } = classifier;
      models.push({ id, labels, thresholds, languageThresholds });
    }
  }
  return models;
}

async function sidesOf(
  { policies, against }: PolicyTestFlags,
  files: ObjectFiles,
  models: readonly KnownModel[],
  archivedLabels: readonly string[],
): Promise<Sides> {
  const labels = [...new Set([...models.flatMap((model) => model.labels), ...archivedLabels])];
  const side = async (location: string) => {
    const loaded = await loadPolicies(location, files);
    return createRedecide({ policies: loaded.policies, labels, models, prefix: `${location}: ` });
  };
  return {
    labels,
    after: await side(policies),
    before: against === 'archived' ? undefined : await side(against),
  };
}

function queryOf({ sample, showText }: PolicyTestFlags) {
  return { sample, withTexts: showText ?? false };
}

/** Files on this machine, one after the other; what comes from S3 is removed when the next one is asked for. */
async function* localFiles(inputs: readonly string[], files: ObjectFiles): AsyncGenerator<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
  const local = join(directory, 'archived.parquet');
  try {
    for (const input of inputs) {
      if (isObjectUrl(input)) await files.download(input, local);
      yield isObjectUrl(input) ? local : input;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function compareFile(
  path: string,
  {
    archived,
    sides,
    changes,
    query,
  }: {
    readonly archived: ArchivedFiles;
    readonly sides: Sides;
    readonly changes: ReturnType<typeof createChanges>;
    readonly query: Omit<ArchivedRowsQuery, 'labels' | 'present'>;
  },
): Promise<void> {
  const { labels } = sides;
  const present = new Set(await archived.labelsOf(path));
  const fileLabels = new Set([...labels, ...present]);
  for await (const rows of archived.read(path, { labels, present, ...query })) {
    const after = sides.after(rows, fileLabels);
    const before = sides.before?.(rows, fileLabels) ?? asArchived(rows);
    for (let row = 0; row < rows.customers.length; row++) {
      const decided = {
        before: ACTIONS[before.actions[row]!]!,
        after: ACTIONS[after.actions[row]!]!,
        reasonsBefore: before.reasons[row]!,
        reasonsAfter: after.reasons[row]!,
      };
      const label = labels.indexOf(reasonOf(decided) ?? '');
      changes.add({
        ...decided,
        contentId: rows.contentIds[row]!,
        customer: rows.customers[row]!,
        language: rows.languages[row]!,
        score: label < 0 ? undefined : rows.scores[row * labels.length + label],
        text: rows.texts?.[row],
      });
    }
  }
}

function asArchived({ actions, reasons }: ArchivedRows): Redecided {
  return { actions: Uint8Array.from(actions, (action) => ACTIONS.indexOf(action)), reasons };
}

function report(
  changes: Changes,
  { against, maxChanges, json }: PolicyTestFlags,
  sides: Sides | undefined,
): { text: string; ok: boolean } {
  if (changes.rows === 0) throw new InputError('expected archived rows in this slice, got none');
  const ok = maxChanges === undefined || changes.changed <= maxChanges * changes.rows;
  if (json) return { text: changesJson(changes, against), ok };
  const unknown = [...(sides?.after.unknown ?? [])].map(
    ([model, rows]) =>
      `${rows} rows were scored by ${model}, whose own thresholds are not at hand: decided with those of the other models; --model names its folder`,
  );
  const refusal = ok
    ? []
    : [
        `too many changes: expected at most ${(100 * maxChanges).toFixed(2)} %, got ${((100 * changes.changed) / changes.rows).toFixed(2)} %`,
      ];
  return { text: [describeChanges(changes, against), ...unknown, ...refusal].join('\n\n'), ok };
}
