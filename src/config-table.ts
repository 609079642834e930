import { jsonSchema, type JsonSchema } from './config.ts';

/** The configuration as a Markdown table: key, type, default, meaning. */
export function configTable(): string {
  const rows = ['| key | type | default | meaning |', '|---|---|---|---|'];
  const visitSchema = (path: string, schema: JsonSchema): void => {
    const properties = propertiesOf(schema);
    const values = schema.additionalProperties;
    if (!properties && values?.properties) return visitSchema(`${path}.*`, values);
    if (!properties) {
      rows.push(
        `| \`${path}\` | ${typeName(schema)} | ${defaultText(schema)} | ${schema.description ?? ''} |`,
      );
      return;
    }
    const plain = (schema.anyOf ?? []).filter((branch) => !branch.properties);
    if (plain.length > 0) {
      const names = plain.map(typeName).join(' or ');
      rows.push(`| \`${path}\` | ${names} | ${defaultText(schema)} | ${schema.description ?? ''} |`);
    }
    for (const [key, child] of properties) visitSchema(path ? `${path}.${key}` : key, child);
  };
  visitSchema('', jsonSchema());
  return rows.join('\n');
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
