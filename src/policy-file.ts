import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { policiesConfig, type PoliciesConfig } from './classify/index.ts';
import type { JsonSchema } from './config.ts';
import { MisconfiguredError, messageOf } from './errors.ts';
import { isObjectUrl, type ObjectFiles } from './object-files.ts';
import { parseYaml } from './yaml-config.ts';

/** The content of a policy file: policies by customer id, as `classify.policies` has them. */
export const policyFileSchema = policiesConfig.describe(
  'Policies by customer id; `default` is for all other customers',
);

/** A policy file as it is now. */
export interface PolicyFile {
  /** Path or address, as errors name it. */
  readonly location: string;
  readonly text: string;
  /** Changes with the content, and with nothing else: 16 hex digits. */
  readonly fingerprint: string;
}

/**
 * Reads a policy file, a path or `s3://bucket/key`, without checking it: so a watcher knows whether it is another one, right or
 * wrong. Throws MisconfiguredError when there is none, RetryableError when S3 does not answer.
 */
export async function readPolicyFile(location: string, files: ObjectFiles): Promise<PolicyFile> {
  const text = await (isObjectUrl(location) ? files.readText(location) : readLocal(location));
  return { location, text, fingerprint: createHash('sha256').update(text).digest('hex').slice(0, 16) };
}

/**
 * The policies of a file. Throws MisconfiguredError with one `file:line:column path: …` line per problem; whether models have the
 * labels that it names shows only beside them.
 */
export function parsePolicies({ location, text }: Pick<PolicyFile, 'location' | 'text'>): PoliciesConfig {
  // So is one that somebody is just writing: while a pipeline runs, it must not take all thresholds away.
  if (text.trim() === '')
    throw new MisconfiguredError(`${location}: expected policies, got an empty file; {} stands for none`);
  return parseYaml(text, { file: location, schema: policyFileSchema, jsonSchema: policyJsonSchema });
}

/** Reads and checks a policy file; see {@link readPolicyFile} and {@link parsePolicies}. */
export async function loadPolicies(
  location: string,
  files: ObjectFiles,
): Promise<{ readonly policies: PoliciesConfig; readonly fingerprint: string }> {
  const file = await readPolicyFile(location, files);
  return { policies: parsePolicies(file), fingerprint: file.fingerprint };
}

/** A policy file as JSON Schema (draft 2020-12), for editors and `sluice schema --policies`. */
export function policyJsonSchema(): JsonSchema {
  return z.toJSONSchema(policyFileSchema, { io: 'input' }) as JsonSchema;
}

async function readLocal(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new MisconfiguredError(`${path}: expected a policy file, got ${messageOf(error)}`);
  }
}
