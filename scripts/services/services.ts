import { MisconfiguredError } from '../../src/errors.ts';
import { didYouMean } from '../../src/suggest.ts';
import { dynamodb } from './dynamodb.ts';
import { glue } from './glue.ts';
import { kafka } from './kafka.ts';
import { opensearch } from './opensearch.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import { s3 } from './s3.ts';
import type { Service } from './service.ts';

/** Every service, in the order in which they are shown. */
export const SERVICES: readonly Service[] = [kafka, s3, redis, glue, postgres, dynamodb, opensearch];

/** The names of all services. */
export const SERVICE_NAMES: readonly string[] = SERVICES.map(({ name }) => name);

/** The service of that name. Throws MisconfiguredError when there is none. */
export function serviceOf(name: string): Service {
  const service = SERVICES.find((candidate) => candidate.name === name);
  if (!service) {
    throw new MisconfiguredError(
      `expected one of ${SERVICE_NAMES.join(', ')}, got ${JSON.stringify(name)}${didYouMean(name, SERVICE_NAMES)}`,
    );
  }
  return service;
}
