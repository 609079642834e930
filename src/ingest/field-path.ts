/** Where a mapped field's value comes from, parsed from one entry of `ingest.fields` or of a preset. */
export type FieldPath =
  | { readonly from: 'body'; readonly label: string; readonly segments: readonly string[] }
  | { readonly from: 'header'; readonly label: string; readonly name: string }
  | { readonly from: 'key'; readonly label: string }
  | { readonly from: 'topic'; readonly label: string }
  | { readonly from: 'constant'; readonly label: string; readonly value: string };

/**
 * Parses `a.b.c` (a field of the message; `\.` and `\\` stand for themselves, as do `\$` and `\=` at the start),
 * `$key`, `$topic`, `$header.NAME` or `=constant`. Throws an Error that says what was expected.
 */
export function parseFieldPath(text: string): FieldPath {
  const label = text;
  if (text.startsWith('=')) return { from: 'constant', label, value: text.slice(1) };
  if (text === '$key') return { from: 'key', label };
  if (text === '$topic') return { from: 'topic', label };
  if (text.startsWith('$header.') && text.length > 8) return { from: 'header', label, name: text.slice(8) };
  if (text.startsWith('$')) {
    throw new Error(`expected $key, $topic or $header.NAME, got ${JSON.stringify(text)}`);
  }
  const segments = splitPath(text);
  if (segments.includes('')) {
    throw new Error(`expected a path such as content.text, got ${JSON.stringify(text)} with an empty part`);
  }
  return { from: 'body', label, segments };
}

function splitPath(text: string): string[] {
  const segments = [''];
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character === '.') segments.push('');
    else segments[segments.length - 1] += character === '\\' ? (text[++index] ?? '\\') : character;
  }
  return segments;
}
