import type { TableDescription } from '@aws-sdk/client-dynamodb';
import type { DynamodbSinkConfig } from './dynamodb-sink-config.ts';

/** Names of the table and of its key attributes. */
type TableNames = Pick<DynamodbSinkConfig, 'table' | 'customer_attribute' | 'content_id_attribute'>;

/**
 * The AWS CLI command that makes the table. The content id is its partition key, which spreads the writes of one customer:
 * DynamoDB takes 1,000 a second for one value of it.
 */
export function createTableCommand({ table, customer_attribute, content_id_attribute }: TableNames): string {
  return [
    `aws dynamodb create-table --table-name ${table} --billing-mode PAY_PER_REQUEST`,
    `--attribute-definitions AttributeName=${content_id_attribute},AttributeType=S AttributeName=${customer_attribute},AttributeType=S`,
    `--key-schema AttributeName=${content_id_attribute},KeyType=HASH AttributeName=${customer_attribute},KeyType=RANGE`,
  ].join(' ');
}

/** Why scores cannot be kept in a table as it is; empty when they can. */
export function keyProblems(names: TableNames, table: TableDescription): string[] {
  const { customer_attribute, content_id_attribute } = names;
  const wanted = [customer_attribute, content_id_attribute].toSorted().join(' and ');
  const keys = (table.KeySchema ?? []).map(({ AttributeName }) => AttributeName ?? '');
  const got = keys.toSorted().join(' and ');
  if (got !== wanted) return [`a key of ${wanted}, got ${got || 'none'}`];
  return keys.flatMap((key) => {
    const type = table.AttributeDefinitions?.find(
      ({ AttributeName }) => AttributeName === key,
    )?.AttributeType;
    return type === 'S' ? [] : [`${key} to be a string (S), got ${type ?? 'none'}`];
  });
}
