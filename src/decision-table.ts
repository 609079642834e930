import { decisionJsonSchema } from './decision.ts';

/** The parts of the decision's JSON Schema that the table shows. */
interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly additionalProperties?: FieldSchema;
  readonly items?: FieldSchema;
  readonly anyOf?: readonly FieldSchema[];
}

/** The fields of a decision as a Markdown table: field, type, null, meaning; docs/decisions-topic.md has it. */
export function decisionTable(): string {
  const rows = ['| field | type | null | meaning |', '|---|---|---|---|'];
  const { properties = {}, required = [] } = decisionJsonSchema() as FieldSchema;
  for (const [name, schema] of Object.entries(properties)) {
    const types = [schema.type].flat();
    const members = schema.anyOf ?? types.map((type): FieldSchema => ({ ...schema, type: type! }));
    const isNull = ({ type }: FieldSchema) => type === 'null';
    const absent = required.includes(name) ? '' : ', may be absent';
    const type = members.filter((member) => !isNull(member)).map(typeOf);
    rows.push(
      `| \`${name}\` | ${type.join(' or ')}${absent} | ${members.some(isNull) ? 'yes' : 'no'} | ${schema.description ?? ''} |`,
    );
  }
  return rows.join('\n');
}

function typeOf(schema: FieldSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.format === 'date-time') return 'time (ISO 8601, UTC)';
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'values'}`;
  if (schema.properties) return `object: ${Object.keys(schema.properties).join(', ')}`;
  if (schema.type === 'object') return `object of one ${typeOf(schema.additionalProperties ?? {})} per label`;
  return [schema.type ?? 'any'].flat().join(' or ');
}
