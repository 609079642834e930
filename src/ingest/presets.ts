/** The fields of a message that have a column of their own, or fill one. */
export const FIELDS = ['id', 'customer', 'text', 'user', 'type', 'lang', 'created_at', 'metadata'] as const;

/** One of {@link FIELDS}. */
export type Field = (typeof FIELDS)[number];

/** How a known kind of message maps to columns. */
export interface Preset {
  /** `debezium`: the message is a change envelope, and the fields are those of its `after` row. */
  readonly envelope: 'none' | 'debezium';
  /** Candidates for each field, the first present one wins; see `parseFieldPath` for the notation. */
  readonly fields: Readonly<Record<Field, readonly string[]>>;
}

/** Names of the presets, as the configuration has them. */
export const PRESET_NAMES = ['sluice', 'koko', 'debezium'] as const;

/** The presets by name. */
export const PRESETS: Readonly<Record<(typeof PRESET_NAMES)[number], Preset>> = {
  // The key is no fallback for the customer here: many producers key by content id, and a wrong customer is worse than
  // a dead letter.
  sluice: {
    envelope: 'none',
    fields: {
      id: ['id', 'content_id'],
      customer: ['customer', '$header.customer'],
      text: ['text'],
      user: ['user', 'user_id'],
      type: ['type', 'content_type'],
      lang: ['lang', 'language'],
      created_at: ['created_at'],
      metadata: ['metadata'],
    },
  },
  // The body of `POST /track/content`; the customer was in the request's authorization, so it travels beside the body.
  koko: {
    envelope: 'none',
    fields: {
      id: ['id'],
      customer: ['$header.customer', '$key', 'customer'],
      text: ['content.text'],
      user: ['user_id'],
      type: ['type'],
      lang: ['lang', 'language'],
      created_at: ['created_at'],
      metadata: ['metadata'],
    },
  },
  debezium: {
    envelope: 'debezium',
    fields: {
      id: ['id'],
      customer: ['customer', 'customer_id', 'tenant_id', '$header.customer'],
      text: ['text', 'content', 'body'],
      user: ['user', 'user_id', 'author_id'],
      type: ['type', 'content_type'],
      lang: ['lang', 'language'],
      created_at: ['created_at'],
      metadata: ['metadata'],
    },
  },
};
