import { query } from '../archive/index.ts';
import type { LabelledSource } from './labelled-source.ts';

/** Columns of {@link openModeratedContent}. */
const COLUMNS = ['text', 'language', 'customer', 'labels', 'reasons', 'action', 'created_at', 'content_id'];

/** Which of an archive's feedback is meant. */
export interface ModeratedContentOptions {
  /** Time of the feedback from, and before: dates or times, ISO 8601. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Actions of moderators that mean: nothing is wrong with it. */
  readonly harmless: readonly string[];
}

/**
 * The content of an archive's directory that moderators judged, as labelled data: the newest version of each text, with the
 * newest moderation of it that no rule made. `labels` has the reasons that were given; none where the action is a harmless
 * one; null, so unknown, where neither says anything. Throws InputError when the archive cannot be read.
 */
export function openModeratedContent(root: string, options: ModeratedContentOptions): LabelledSource {
  return {
    place: root,
    columns: COLUMNS,
    async *read({ texts, values, where }) {
      const names = [...texts, ...values].map((name) => (name === undefined ? 'NULL' : `"${name}"`));
      const sql = `WITH moderated AS (${moderated(options)})
        SELECT ${names.join(', ')} FROM moderated${where === undefined ? '' : ` WHERE ${where}`}`;
      const { rows } = await query(sql, { root });
      yield rows;
    },
  };
}

function moderated({ from, to, harmless }: ModeratedContentOptions): string {
  const conditions = [
    `kind = 'moderation'`,
    'automated IS NOT TRUE',
    ...(from === undefined ? [] : [`created_at >= ${literal(from)}::TIMESTAMPTZ`]),
    ...(to === undefined ? [] : [`created_at < ${literal(to)}::TIMESTAMPTZ`]),
  ];
  const newest = (order: string) =>
    `QUALIFY row_number() OVER (PARTITION BY customer, content_id ORDER BY ${order}) = 1`;
  return `SELECT content.content AS text, content.language, judged.customer, judged.content_id, judged.created_at,
      judged.action, judged.reasons,
      CASE WHEN len(judged.reasons) > 0 THEN judged.reasons
        WHEN list_contains([${harmless.map(literal).join(', ')}]::VARCHAR[], lower(judged.action)) THEN []::VARCHAR[] END AS labels
    FROM (SELECT * FROM feedback WHERE ${conditions.join(' AND ')} ${newest('created_at DESC, received_at DESC, "offset" DESC')}) AS judged
    JOIN (SELECT * FROM content ${newest('created_at DESC, received_at DESC, "offset" DESC')}) AS content
      USING (customer, content_id)`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
