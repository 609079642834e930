import { jsonSchema, type JsonSchema } from './config.ts';

/**
 * The configuration as Markdown tables: key, type, default, meaning. Maps whose values have a type, such as sinks, get a table
 * for each type, below a heading.
 */
export function configTables(): string {
  const kinds: [string, JsonSchema][] = [];
  const main = tableOf('', jsonSchema(), kinds);
  const others = kinds.map(
    ([path, schema]) => `### \`${path}\` with \`type: ${kindOf(schema)}\`\n\n${tableOf(path, schema)}`,
  );
  return [main, ...others].join('\n\n');
}

/** Keys of an object with their schemas. */
type Keys = readonly (readonly [string, JsonSchema])[];

/** One table; what has several types is left to `kinds`. */
function tableOf(start: string, root: JsonSchema, kinds: [string, JsonSchema][] = []): string {
  const rows = ['| key | type | default | meaning |', '|---|---|---|---|'];
  const row = (path: string, type: string, schema: JsonSchema) =>
    rows.push(`| \`${path}\` | ${type} | ${defaultText(schema)} | ${schema.description ?? ''} |`);
  /** A map of objects; keys that stand beside it too are only named. */
  const visitMap = (
    path: string,
    { description = '' }: JsonSchema,
    values: JsonSchema,
    beside: Keys,
  ): void => {
    const all = propertiesOf(values) ?? [];
    const isKnown = ([key, child]: Keys[number]) =>
      beside.some(([name, other]) => name === key && JSON.stringify(other) === JSON.stringify(child));
    const known = all.filter(isKnown);
    if (known.length > 0) {
      const parent = path.split('.').slice(0, -1).join('.');
      const names = known.map(([key]) => `\`${key}\``).join(', ');
      row(`${path}.*`, 'map', {
        description: `${description}. Keys of each as those of \`${parent}\`: ${names}; and:`,
      });
    }
    for (const [key, child] of all.filter((entry) => !isKnown(entry))) visitSchema(`${path}.*.${key}`, child);
  };
  const visitSchema = (path: string, schema: JsonSchema, beside: Keys = []): void => {
    const properties = propertiesOf(schema);
    const values = schema.additionalProperties;
    const members = (values?.oneOf ?? []).filter((member) => kindOf(member) !== undefined);
    if (!properties && members.length > 0) {
      kinds.push(...members.map((member): [string, JsonSchema] => [`${path}.*`, member]));
      return void row(`${path}.*.type`, members.map((member) => `\`${kindOf(member)}\``).join(', '), schema);
    }
    if (!properties && values?.properties) return visitMap(path, schema, values, beside);
    if (!properties) return void row(path, typeName(schema), schema);
    const plain = (schema.anyOf ?? []).filter((branch) => !branch.properties);
    if (plain.length > 0) row(path, plain.map(typeName).join(' or '), schema);
    for (const [key, child] of properties) visitSchema(path ? `${path}.${key}` : key, child, properties);
  };
  visitSchema(start, root);
  return rows.join('\n');
}

/** What tells the members of a union apart. */
function kindOf({ properties }: JsonSchema): string | undefined {
  const kind = properties?.['type']?.const;
  return typeof kind === 'string' ? kind : undefined;
}

/** Keys of an object, those of all members for a union; what tells the members apart lists all its values. */
function propertiesOf(schema: JsonSchema): [string, JsonSchema][] | undefined {
  if (schema.properties) return Object.entries(schema.properties);
  const members = (schema.oneOf ?? schema.anyOf ?? []).filter((branch) => branch.properties);
  if (members.length === 0) return undefined;
  const known = new Map<string, JsonSchema>();
  for (const [key, child] of members.flatMap((member) => Object.entries(member.properties ?? {}))) {
    const before = known.get(key);
    const consts = [before?.enum ?? before?.const, child.const].flat();
    if (before && child.const !== undefined && !consts.includes(undefined)) {
      const { description = '', default: value } = before;
      const named = before.const === undefined ? description : `${constName(before)}: ${description}`;
      known.set(key, {
        enum: consts,
        description: `${named}; ${constName(child)}: ${child.description ?? ''}`,
        ...(value === undefined ? {} : { default: value }),
      });
    } else if (!before) known.set(key, child);
  }
  return [...known];
}

function constName(schema: JsonSchema): string {
  return `\`${String(schema.const)}\``;
}

function typeName(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.anyOf ?? schema.oneOf) return (schema.anyOf ?? schema.oneOf)!.map(typeName).join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeName(schema.items) : 'values'}`;
  return schema.type === 'object' ? 'map' : (schema.type ?? 'any');
}

function defaultText(schema: JsonSchema): string {
  if (schema.default === undefined) return '';
  return `\`${typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)}\``;
}
