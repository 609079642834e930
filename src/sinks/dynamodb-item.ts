import type { AttributeValue, PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { DynamodbSinkConfig } from './dynamodb-sink-config.ts';
import type { Score } from './score.ts';

/**
 * The request that puts a score unless the table has its version or a newer one. What is null is left out, so that indexes over
 * it are sparse.
 */
export function putRequest(config: DynamodbSinkConfig, score: Score): PutItemCommandInput {
  return {
    TableName: config.table,
    Item: itemOf(config, score),
    ConditionExpression: 'attribute_not_exists(#version) OR #version < :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': { S: score.version } },
  };
}

function itemOf(config: DynamodbSinkConfig, score: Score): Record<string, AttributeValue> {
  const { customer, content_id, reasons, scores, ...texts } = score;
  const item: Record<string, AttributeValue> = {
    [config.customer_attribute]: { S: customer },
    [config.content_id_attribute]: { S: content_id },
    reasons: { L: reasons.map((label) => ({ S: label })) },
    scores: {
      M: Object.fromEntries(Object.entries(scores).map(([label, value]) => [label, { N: String(value) }])),
    },
  };
  for (const [name, text] of Object.entries(texts)) if (text !== null) item[name] = { S: text };
  if (config.ttl !== undefined) {
    // By the decision, not by now: attempts at one item say the same.
    const seconds = Math.ceil((Date.parse(score.decided_at) + config.ttl) / 1000);
    item[config.ttl_attribute] = { N: String(seconds) };
  }
  return item;
}
