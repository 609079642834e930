import type { Decision } from '../decision.ts';

const EARLIEST = '1970';
const LATEST = '2100';

/**
 * The index of a decision: the same for each repeat of it, so the date is the message's, never that of now. Dates that no clock
 * shows, which would open an index each, are `undated`.
 */
export function indexOf(pattern: string, decision: Pick<Decision, 'produced_at' | 'created_at'>): string {
  const time = decision.produced_at ?? decision.created_at;
  const [year, month, day] = time !== null && time >= EARLIEST && time < LATEST ? time.split(/[-T]/) : [];
  const parts: Readonly<Record<string, string>> =
    year === undefined
      ? { '{day}': 'undated', '{month}': 'undated', '{year}': 'undated' }
      : { '{day}': `${year}.${month}.${day}`, '{month}': `${year}.${month}`, '{year}': year };
  return pattern.replace(/\{\w+\}/g, (name) => parts[name] ?? name);
}

// Longer ones are kept, but not found by: Lucene takes no term above 32,766 bytes, and a document with one is refused.
const keyword = { type: 'keyword', ignore_above: 8191 } as const;
const date = { type: 'date' } as const;

/** Fields of a document; its `_source` is the decision as it is. What is added later is kept, and found once it stands here. */
const MAPPINGS = {
  dynamic: false,
  // JSON's 1 and 0 are taken for whole numbers. A label with dots becomes objects, which neither of them may match.
  dynamic_templates: ['double', 'long'].map((type) => ({
    [`scores_${type}`]: { path_match: 'scores.*', match_mapping_type: type, mapping: { type: 'float' } },
  })),
  properties: {
    id: keyword,
    customer: keyword,
    content_id: keyword,
    user_id: keyword,
    content_type: keyword,
    language: keyword,
    action: keyword,
    reasons: {
      properties: { label: keyword, score: { type: 'float' }, threshold: { type: 'float' } },
    },
    scores: { type: 'object', dynamic: true },
    model: keyword,
    policy: keyword,
    created_at: date,
    produced_at: date,
    received_at: date,
    decided_at: date,
    version: keyword,
    position: { properties: { topic: keyword, partition: { type: 'integer' }, offset: { type: 'long' } } },
    timings: { type: 'object', enabled: false },
    text: { type: 'text' },
  },
} as const;

/** The index template for all indexes of a pattern: what `sluice schema --elasticsearch` prints. */
export function indexTemplate(pattern: string): object {
  return {
    index_patterns: [pattern.replace(/\{\w+\}/g, '*')],
    priority: 200,
    template: { settings: { number_of_shards: 1 }, mappings: MAPPINGS },
  };
}
