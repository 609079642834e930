import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { DYNAMODB_VERSION } from '../../scripts/services/dynamodb.ts';
import { KAFKA_VERSION } from '../../scripts/services/kafka.ts';
import { OPENSEARCH_VERSION } from '../../scripts/services/opensearch.ts';
import { VERSITYGW_VERSION } from '../../scripts/services/s3.ts';

it('compose.yaml has the servers that the tests run against', () => {
  const text = readFileSync(join(import.meta.dirname, '../../compose.yaml'), 'utf8');
  const { services, volumes } = parse(text) as {
    services: Record<string, { image: string; profiles?: string[]; volumes: string[]; healthcheck: object }>;
    volumes: Record<string, null>;
  };
  expect(services['kafka']!.image).toBe(`apache/kafka:${KAFKA_VERSION}`);
  expect(services['s3']!.image).toBe(`versity/versitygw:v${VERSITYGW_VERSION}`);
  expect(services['dynamodb']!.image).toBe(`amazon/dynamodb-local:${DYNAMODB_VERSION}`);
  expect(services['opensearch']!.image).toBe(`opensearchproject/opensearch:${OPENSEARCH_VERSION}`);
  // Those of the first way to try it come up by themselves, the others when they are named.
  expect(Object.entries(services).map(([name, { profiles }]) => [name, profiles])).toEqual([
    ...['kafka', 's3', 'redis'].map((name) => [name, undefined]),
    ...['postgres', 'dynamodb', 'opensearch'].map((name) => [name, [name]]),
  ]);
  const used = Object.values(services).flatMap((service) =>
    service.volumes.map((volume) => volume.split(':')[0]),
  );
  expect(used).toEqual(Object.keys(volumes));
  expect(Object.values(services).every(({ healthcheck }) => healthcheck !== undefined)).toBe(true);
});
