import { z } from 'zod';
import { duration, timeLimit } from '../units.ts';
import { scoresFilterConfig } from './scores-filter.ts';

const attribute = () => z.string().min(1).max(255);

/** The `dynamodb` member of the sinks' configuration. Durations in milliseconds once parsed. Credentials never stand in it. */
export const dynamodbSinkConfig = z
  .strictObject({
    type: z.literal('dynamodb').describe('Newest score of each content, as an item in DynamoDB'),
    table: z
      .string()
      .regex(/^([A-Za-z0-9_.-]{3,255}|arn:[^\s]+:table\/[^\s]+)$/, 'expected the name of a table, or its ARN')
      .describe('Name or ARN of the table, whose key is customer and content id, in either order'),
    customer_attribute: attribute()
      .describe('Key attribute that has the customer: partition key or sort key')
      .default('customer'),
    content_id_attribute: attribute()
      .describe('Key attribute that has the content id: sort key or partition key')
      .default('content_id'),
    ttl: duration()
      .refine((ms) => ms >= 60_000, 'expected 1m or more')
      .describe('How long a score stays after its decision; else until somebody deletes it')
      .optional(),
    ttl_attribute: attribute()
      .describe("The table's time-to-live attribute, which `ttl` is written to: seconds since 1970")
      .default('expires_at'),
    region: z
      .string()
      .min(1)
      .describe("The table's region; else that of the environment (AWS_REGION, the profile)")
      .optional(),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'expected a URL such as http://localhost:8000' })
      .describe('Address of a server other than that of the region, such as DynamoDB Local')
      .optional(),
    connections: z
      .int()
      .min(1)
      .max(1024)
      .describe('Most requests at a time, each on a connection of its own and for one score')
      .default(32),
    connect_timeout: timeLimit()
      .describe('Longest wait for a connection; then the request is tried again')
      .prefault('5s'),
    idle_timeout: timeLimit()
      .describe('Longest silence of the server within a request; then the request is tried again')
      .prefault('10s'),
    ...scoresFilterConfig,
  })
  .refine(
    ({ customer_attribute, content_id_attribute }) => customer_attribute !== content_id_attribute,
    'expected two names for customer_attribute and content_id_attribute',
  );

/** The `dynamodb` member of the sinks' configuration after checks. */
export type DynamodbSinkConfig = z.infer<typeof dynamodbSinkConfig>;
