import { MisconfiguredError } from '../errors.ts';
import type { CatalogTableOptions } from './catalog-table.ts';

/**
 * Throws MisconfiguredError, naming the option, for a table, a first day or a place that Athena cannot use. Names:
 * https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
 */
export function checkCatalogNames({
  of = 'content',
  table = of,
  since,
  location,
}: Pick<CatalogTableOptions, 'of' | 'table' | 'since'> & { readonly location?: string | undefined }): void {
  if (!/^[a-z0-9_]{1,255}$/.test(table)) {
    throw new MisconfiguredError(
      `${of === 'content' ? '--table' : '--feedback-table'}: expected lower-case letters, digits and _, got ${JSON.stringify(table)}`,
    );
  }
  if (since !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(since)) {
    throw new MisconfiguredError(`--since: expected YYYY-MM-DD, got ${JSON.stringify(since)}`);
  }
  if (location !== undefined) checkLocation(location);
}

function checkLocation(location: string): void {
  const path = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/(.*))?$/.exec(location);
  const segments = path?.[1]?.replace(/\/*$/, '').split('/') ?? [];
  // Athena drops an empty segment, and lists nothing below one that begins with _ or a dot.
  const bad = segments.some(
    (part) => /^[_.]|[\s'"`*?{}$\\]/.test(part) || (part === '' && segments.length > 1),
  );
  if (!path || bad) {
    throw new MisconfiguredError(
      `--location: expected s3://BUCKET/PREFIX/ without empty parts, parts that begin with _ or a dot, spaces, quotes, wildcards and braces, got ${JSON.stringify(location)}`,
    );
  }
}
