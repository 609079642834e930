/** What `GET /NAME` answers, by index: one for an index, several for an alias or a data stream. */
export type IndexesBehind = Readonly<
  Record<
    string,
    {
      readonly aliases?: Readonly<Record<string, { readonly is_write_index?: boolean }>>;
      readonly mappings?: { readonly properties?: Readonly<Record<string, { readonly type?: string }>> };
      readonly data_stream?: string;
    }
  >
>;

/** Why documents cannot be written to a name, or not be found there, with the way out. */
interface TargetProblem {
  readonly expected: string;
  readonly got: string;
  readonly way: string;
}

const ALIAS_WAY = 'give one index of the alias is_write_index: true (POST /_aliases), or name another index';
const STREAM_WAY = 'name an index: a data stream only creates, so a repeat could not overwrite its document';
const MAPPING_WAY = 'name another index, after putting the template of `sluice schema --elasticsearch` there';

/** What is wrong with the name of an index, an alias or a data stream as a place for documents; undefined when nothing is. */
export function targetProblem(name: string, indexes: IndexesBehind): TargetProblem | undefined {
  const behind = Object.entries(indexes);
  if (behind.some(([, { data_stream }]) => data_stream !== undefined))
    return { expected: `an index ${name}`, got: 'a data stream', way: STREAM_WAY };
  const holders = behind.filter(([, { aliases }]) => aliases?.[name]);
  // An alias of one index is written through, unless it says no; one of several only where it says yes.
  const written =
    behind.find(([index]) => index === name) ??
    holders.find(([, { aliases }]) => aliases?.[name]?.is_write_index === true) ??
    (holders.length === 1 && holders[0]![1].aliases?.[name]?.is_write_index !== false
      ? holders[0]
      : undefined);
  if (!written) {
    const names = holders.map(([index]) => index).join(', ');
    return {
      expected: `${name} to be written to`,
      got: `an alias of ${names} without a write index`,
      way: ALIAS_WAY,
    };
  }
  if (written[1].mappings?.properties?.['version']?.type === 'keyword') return undefined;
  return {
    expected: `an index ${name} with a keyword field \`version\``,
    got: 'no such field',
    way: MAPPING_WAY,
  };
}

/** The way out of an answer that holds for every document; empty where it is not known. */
export function wayOut(status: number, reason: string): string {
  if (/shards open|maximum shards/.test(reason))
    return '; remove old indexes, raise cluster.max_shards_per_node, or take {month} or {year} instead of {day}';
  if (/index_not_found_exception/.test(reason)) return '; allow action.auto_create_index for the index';
  if (/no write index/.test(reason)) return `; ${ALIAS_WAY}`;
  if (/data stream/.test(reason)) return `; ${STREAM_WAY}`;
  if (/Limit of total fields/.test(reason))
    return '; raise index.mapping.total_fields.limit of the index and in its template, or name another index';
  if (/pipeline with id/.test(reason))
    return '; make that pipeline, or take it out of the settings of the index and its template';
  if (status === 403 || /security_exception|\(403\)/.test(reason))
    return '; allow the user create_index and write on the index';
  return '';
}
