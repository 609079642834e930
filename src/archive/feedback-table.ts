import { FEEDBACK_KINDS } from '../types.ts';
import { MESSAGE_COLUMNS, type Table } from './columns.ts';

/**
 * What users, moderators and authors say about content, one row a message; joined with content by customer and content id.
 * The underscore of its folder hides it from readers of the archive's root, which is the content's.
 */
export const FEEDBACK = {
  name: 'feedback',
  folder: '_feedback/',
  description: 'Archive of feedback on moderated content, one row a message',
  columns: [
    {
      name: 'id',
      type: 'string',
      nullable: false,
      from: 'position',
      dictionary: false,
      description: 'Position id, `topic-partition-offset`: the same on every replay',
    },
    {
      name: 'customer',
      type: 'category',
      nullable: false,
      from: 'slice',
      description: 'Customer as the message named it',
    },
    {
      name: 'feedback_id',
      type: 'string',
      nullable: false,
      from: 'row',
      dictionary: false,
      description: "The sender's id of the feedback; the position id where the message has none",
    },
    {
      name: 'kind',
      type: 'category',
      nullable: false,
      from: 'row',
      values: FEEDBACK_KINDS,
      description: '`flag` (by a user), `moderation` (by a moderator or a rule) or `appeal` (by an author)',
    },
    {
      name: 'content_id',
      type: 'string',
      nullable: false,
      from: 'row',
      description: '`content_id` of the content that it is about',
    },
    {
      name: 'actor_id',
      type: 'string',
      nullable: true,
      from: 'row',
      description: 'Who flagged, moderated or appealed',
    },
    {
      name: 'action',
      type: 'string',
      nullable: true,
      from: 'row',
      description: 'What was done, in the words of the sender, such as `user_warned`',
    },
    {
      name: 'reasons',
      type: 'list<string>',
      nullable: true,
      from: 'row',
      description: 'Reasons as the message gives them; null when it gives none',
    },
    {
      name: 'automated',
      type: 'boolean',
      nullable: true,
      from: 'row',
      description: 'Whether a rule and no person did it; null where the message does not say',
    },
    {
      name: 'note',
      type: 'string',
      nullable: true,
      from: 'row',
      dictionary: false,
      statistics: false,
      description: 'Free text',
    },
    {
      name: 'created_at',
      type: 'timestamp',
      nullable: false,
      from: 'row',
      description: 'Event time of the feedback, µs UTC; rows are in its order',
    },
    {
      name: 'received_at',
      type: 'timestamp',
      nullable: false,
      from: 'slice',
      description: 'When Sluice read the message, µs UTC',
    },
    ...MESSAGE_COLUMNS,
  ],
} as const satisfies Table;
