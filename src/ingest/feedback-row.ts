import { FEEDBACK_KINDS, type RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { createFieldReader, dead, type Outcome } from './field-reader.ts';
import { parseFieldPath } from './field-path.ts';
import { isObject, jsonType } from './json.ts';

/** One feedback message's columns; the same object is filled again for each message. */
export interface FeedbackRow {
  id: string | null;
  /** Index into FEEDBACK_KINDS. */
  kind: number;
  customer: string;
  contentId: string;
  actorId: string | null;
  action: string | null;
  reasons: string[] | null;
  automated: boolean | null;
  note: string | null;
  /** Microseconds since 1970 UTC. */
  createdAt: number;
  metadata: string[] | null;
}

/** Where the fields of a feedback message are: the format is Sluice's own. */
const FIELDS = {
  id: ['id'],
  kind: ['kind'],
  customer: ['customer', '$header.customer'],
  content_id: ['content_id'],
  actor_id: ['actor_id'],
  action: ['action'],
  reasons: ['reasons'],
  automated: ['automated'],
  note: ['note'],
  created_at: ['created_at'],
  metadata: ['metadata'],
} as const;

type Field = keyof typeof FIELDS;

/**
 * Makes the function that fills `row` from a parsed feedback message (which it takes apart) and answers null, or says why it
 * cannot. A field that is null or an empty string counts as absent.
 */
export function createFeedbackRowReader(
  config: IngestConfig,
  row: FeedbackRow,
): (root: unknown, batch: RawBatch, index: number) => Outcome | null {
  const mapping = Object.fromEntries(
    Object.entries(FIELDS).map(([field, paths]) => [field, paths.map(parseFieldPath)]),
  ) as Record<Field, ReturnType<typeof parseFieldPath>[]>;
  const fields = createFieldReader({ mapping, maxFuture: config.max_future });

  function kindOf(): number {
    const value = fields.text('kind');
    if (value === null) {
      fields.refuse(fields.missing('kind'));
      return -1;
    }
    const kind = FEEDBACK_KINDS.findIndex((each) => each === value);
    if (kind < 0) {
      fields.refuse(dead('unknown_kind', `kind: expected ${FEEDBACK_KINDS.join(' or ')}, got another value`));
    }
    return kind;
  }

  function reasonsOf(): string[] | null {
    const value = fields.value('reasons');
    if (value === undefined) return null;
    if (!Array.isArray(value)) {
      fields.wrongType('reasons', 'an array of strings', value);
      return null;
    }
    const stranger: unknown = value.find((item) => typeof item !== 'string');
    if (stranger !== undefined) {
      const got = `an array with ${jsonType(stranger)}`;
      fields.refuse(dead('wrong_type', `reasons: expected an array of strings, got ${got}`));
    }
    return value as string[];
  }

  function automatedOf(): boolean | null {
    const value = fields.value('automated');
    if (typeof value === 'boolean') return value;
    if (value !== undefined) fields.wrongType('automated', 'true or false', value);
    return null;
  }

  return (root, batch, index) => {
    if (!isObject(root)) return dead('not_an_object', `expected a JSON object, got ${jsonType(root)}`);
    fields.begin(root, batch, index);
    const { targets } = root;
    if (Array.isArray(targets) && Object.hasOwn(root, 'targets') && targets.length > 1) {
      return dead(
        'several_targets',
        `targets: expected one content_id in a message, got ${targets.length} targets; send a message for each`,
      );
    }
    const customer = fields.name('customer');
    if (customer === null) return fields.problem() ?? fields.missing('customer');
    const kind = kindOf();
    const contentId = fields.name('content_id');
    if (contentId === null) return fields.problem() ?? fields.missing('content_id');
    row.customer = customer;
    row.kind = kind;
    row.contentId = contentId;
    row.id = fields.name('id');
    row.actorId = fields.name('actor_id');
    row.action = fields.text('action');
    row.reasons = reasonsOf();
    row.automated = automatedOf();
    row.note = fields.text('note');
    row.createdAt = fields.time('created_at');
    const metadata = fields.rest('metadata');
    if (metadata === undefined) return fields.problem();
    row.metadata = metadata;
    return null;
  };
}
