import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'deploy/aws');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Operation of S3 → permission, on objects or on the bucket: docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
const PERMISSIONS: Record<string, readonly string[]> = {
  CreateMultipartUpload: ['objects s3:PutObject'],
  UploadPart: ['objects s3:PutObject'],
  CompleteMultipartUpload: ['objects s3:PutObject'],
  PutObject: ['objects s3:PutObject'],
  CopyObject: ['objects s3:GetObject', 'objects s3:PutObject'],
  GetObject: ['objects s3:GetObject'],
  // Without the second, S3 answers 403 for an object that is not there.
  HeadObject: ['objects s3:GetObject', 'bucket s3:ListBucket'],
  DeleteObject: ['objects s3:DeleteObject'],
  AbortMultipartUpload: ['objects s3:AbortMultipartUpload'],
  ListParts: ['objects s3:ListMultipartUploadParts'],
  ListObjectsV2: ['bucket s3:ListBucket'],
  ListMultipartUploads: ['bucket s3:ListBucketMultipartUploads'],
};

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}

function textOf(name: string): string {
  return readFileSync(join(FOLDER, name), 'utf8');
}

function statementsOf(name: string): readonly Statement[] {
  return (JSON.parse(textOf(name)) as { Statement: Statement[] }).Statement;
}

/** Operations of the SDK that source files send. */
function operationsIn(pattern: RegExp): string[] {
  const files = ['src', 'src/archive'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => pattern.test(name))
      .map((name) => join(ROOT, folder, name)),
  );
  const found = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bnew (?:\w+\.)?([A-Z]\w+)Command\(/g)].map(
      (match) => match[1]!,
    ),
  );
  return [...new Set(found)].toSorted();
}

/** What a policy allows, as `objects s3:GetObject` or `bucket s3:ListBucket`. */
function allowedOnArchive(name: string): string[] {
  return statementsOf(name)
    .flatMap(({ Resource, Action }) =>
      list(Resource).flatMap((resource) => {
        if (!resource.startsWith('arn:aws:s3:::<BUCKET>')) return [];
        const level = resource.includes('/') ? 'objects' : 'bucket';
        return list(Action).map((action) => `${level} ${action}`);
      }),
    )
    .toSorted();
}

describe('the policies for AWS', () => {
  it('let the pipeline do what the store does, and nothing else', () => {
    const operations = operationsIn(/^s3-.*\.ts$/);
    expect(operations).toContain('CompleteMultipartUpload');
    expect(operations.filter((operation) => !PERMISSIONS[operation])).toEqual([]);
    const needed = new Set(operations.flatMap((operation) => PERMISSIONS[operation]!));
    expect(allowedOnArchive('pipeline-s3.json')).toEqual([...needed].toSorted());
  });

  it('the VPC endpoint lets all of that pass', () => {
    const passes = new Set(allowedOnArchive('vpc-endpoint-policy.json'));
    expect(allowedOnArchive('pipeline-s3.json').filter((entry) => !passes.has(entry))).toEqual([]);
  });

  it('the listing of the pipeline has no condition, by which HEAD would answer 403 for a missing object', () => {
    const listing = statementsOf('pipeline-s3.json').find(({ Action }) =>
      list(Action).includes('s3:ListBucket'),
    );
    expect(listing).toBeDefined();
    expect(listing!.Condition).toBeUndefined();
  });

  it('let glue apply send what it sends, and nothing else', () => {
    const allowed = statementsOf('glue-apply.json').flatMap(({ Action }) => list(Action));
    expect(allowed.toSorted()).toEqual(operationsIn(/^glue.*\.ts$/).map((operation) => `glue:${operation}`));
  });

  it('let the scores be written as the sink does, and nothing else', () => {
    const text = readFileSync(join(ROOT, 'src/sinks/dynamodb-sink.ts'), 'utf8');
    const sent = [...text.matchAll(/\bnew ([A-Z]\w+)Command\(/g)].map((match) => `dynamodb:${match[1]}`);
    const allowed = statementsOf('scores-dynamodb.json').flatMap(({ Action }) => list(Action));
    expect(allowed.toSorted()).toEqual([...new Set(sent)].toSorted());
  });

  it('readers write nothing into the archive, and see neither manifests nor dead letters', () => {
    expect([...new Set(allowedOnArchive('reader.json'))]).toEqual([
      'bucket s3:GetBucketLocation',
      'bucket s3:ListBucket',
      'objects s3:GetObject',
    ]);
    const objects = statementsOf('reader.json').flatMap(({ Resource }) =>
      list(Resource).filter((resource) => resource.startsWith('arn:aws:s3:::<BUCKET>/')),
    );
    expect(objects).toEqual(
      ['customer=*', '_feedback/customer=*'].map((path) => `arn:aws:s3:::<BUCKET>/<PREFIX>${path}`),
    );
  });

  it.each(FILES.filter((name) => textOf(name).includes('"Statement"')))(
    '%s: distinct Sids, and nothing is allowed by wildcard',
    (name) => {
      const statements = statementsOf(name);
      expect(new Set(statements.map(({ Sid }) => Sid)).size).toBe(statements.length);
      for (const { Sid, Effect, Action, Resource } of statements) {
        expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
        if (Effect === 'Deny') continue;
        for (const action of list(Action)) expect(action).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
        for (const resource of list(Resource)) expect(resource).toMatch(/^arn:aws:[a-z0-9]+:.*[^:*]\*?$/);
      }
    },
  );

  it('each key condition that denies holds for requests that name none: the default of the bucket decides', () => {
    const denials = statementsOf('bucket-policy.json').filter(({ Action }) => Action === 's3:PutObject');
    expect(denials.length).toBeGreaterThan(1);
    for (const { Condition } of denials) {
      const compared = Object.keys(Condition?.['StringNotEquals'] ?? {});
      for (const key of compared) expect(Condition!['Null']).toEqual({ [key]: 'false' });
    }
  });
});

describe('the lifecycle rules', () => {
  interface Rule {
    readonly Filter: { readonly Prefix: string };
    readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation: number };
  }
  const { Rules } = JSON.parse(textOf('lifecycle.json')) as { Rules: Rule[] };

  it('abort no upload that a committed transaction may still need: offsets live for seven days', () => {
    const days = Rules.flatMap((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation ?? []);
    expect(days).toHaveLength(1);
    expect(days[0]).toBeGreaterThanOrEqual(8);
  });

  it('touch no object but content and feedback: not the ledger, not the dead letters', () => {
    for (const { AbortIncompleteMultipartUpload, ...rule } of Rules) {
      if (!AbortIncompleteMultipartUpload)
        expect(rule.Filter.Prefix).toMatch(/^<PREFIX>(_feedback\/)?customer=$/);
      else expect(Object.keys(rule).toSorted()).toEqual(['Filter', 'ID', 'Status']);
    }
  });
});

describe('deploy/aws/README.md', () => {
  const readme = textOf('README.md');

  it.each(FILES)('tells what %s is for', (name) => {
    expect(readme).toContain(name);
  });

  it('tells what each placeholder stands for', () => {
    const used = new Set(FILES.flatMap((name) => textOf(name).match(/<[A-Z_]+>/g) ?? []));
    const described = new Set([...readme.matchAll(/^\| `(<[A-Z_]+>)` \|/gm)].map((match) => match[1]!));
    expect([...described].toSorted()).toEqual([...used].toSorted());
  });
});
