/** Names under which other people's files have what Sluice needs: `ingest.fields` for files that nobody has described. */
export const USUAL_NAMES = {
  id: ['id', 'content_id', 'uuid'],
  customer: ['customer', 'customer_id', 'tenant', 'channel', '=unknown'],
  text: ['text', 'content.text', 'content', 'body', 'message', 'comment', 'tweet'],
  user: ['user', 'user_id', 'author', 'username'],
  created_at: ['created_at', 'timestamp', 'ts', 'date'],
};
