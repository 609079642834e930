import type { RawBatch } from '../types.ts';
import type { IngestConfig } from './config.ts';
import { changeTime, unwrapChange } from './debezium.ts';
import { createFieldReader, dead, type Outcome } from './field-reader.ts';
import { isObject, jsonType, type JsonObject } from './json.ts';
import { compileMapping } from './mapping.ts';

/** One message's columns; the same object is filled again for each message. */
export interface Row {
  id: string | null;
  customer: string;
  text: string;
  user: string | null;
  type: string | null;
  lang: string | null;
  /** Microseconds since 1970 UTC. */
  createdAt: number;
  metadata: string[] | null;
}

/**
 * Makes the function that fills `row` from a parsed message (which it takes apart) and answers null, or says why it
 * cannot. A field that is null or an empty string counts as absent; text must not be empty.
 */
export function createRowReader(
  config: IngestConfig,
  row: Row,
): (root: unknown, batch: RawBatch, index: number) => Outcome | null {
  const { mapping, envelope } = compileMapping(config);
  const fields = createFieldReader({ mapping, maxFuture: config.max_future });

  function fill(body: JsonObject, around: JsonObject | null, batch: RawBatch, index: number): Outcome | null {
    fields.begin(body, batch, index);
    const customer = fields.name('customer');
    if (customer === null) return fields.problem() ?? fields.missing('customer');
    const text = fields.text('text');
    if (text === null) return fields.problem() ?? fields.missing('text', 'empty_text');
    row.customer = customer;
    row.text = text;
    row.id = fields.name('id');
    row.user = fields.name('user');
    row.type = fields.name('type');
    row.lang = fields.name('lang');
    row.createdAt = fields.time('created_at', around ? changeTime(around) : undefined);
    const metadata = fields.rest(
      'metadata',
      around ? { object: around, prefix: 'debezium.', always: true } : undefined,
    );
    if (metadata === undefined) return fields.problem();
    row.metadata = metadata;
    return null;
  }

  return (root, batch, index) => {
    if (!isObject(root)) return dead('not_an_object', `expected a JSON object, got ${jsonType(root)}`);
    if (envelope === 'none') return fill(root, null, batch, index);
    const change = unwrapChange(root);
    if (change.kind === 'skip') return change;
    if (change.kind === 'refuse') return dead('not_an_envelope', change.detail);
    return fill(change.row, change.envelope, batch, index);
  };
}
