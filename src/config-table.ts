import { jsonSchema, type JsonSchema } from './config.ts';

/** The configuration as a Markdown table: key, type, default, meaning. */
export function configTable(): string {
  const rows = ['| key | type | default | meaning |', '|---|---|---|---|'];
  const visitSchema = (path: string, schema: JsonSchema): void => {
    const branches = (schema.oneOf ?? schema.anyOf)?.filter((branch) => branch.properties) ?? [];
    const properties =
      schema.properties ??
      (branches.length > 0 ? Object.assign({}, ...branches.map((b) => b.properties)) : undefined);
    const values = schema.additionalProperties;
    if (!properties && values?.properties) return visitSchema(`${path}.*`, values);
    if (!properties) {
      rows.push(
        `| \`${path}\` | ${typeName(schema)} | ${defaultText(schema)} | ${schema.description ?? ''} |`,
      );
      return;
    }
    for (const [key, child] of Object.entries<JsonSchema>(properties))
      visitSchema(path ? `${path}.${key}` : key, child);
  };
  visitSchema('', jsonSchema());
  return rows.join('\n');
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
