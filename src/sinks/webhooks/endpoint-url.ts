import { isIP } from 'node:net';
import { createAddressCheck } from './address.ts';

/** Where webhooks may go. */
export interface Reach {
  readonly allow_http: boolean;
  /** Blocks of private addresses that are allowed; false: none. */
  readonly allow_private: false | readonly string[];
}

/**
 * Why webhooks may not be sent to a URL; undefined when they may. Names are not looked up here: that is done at every
 * connection. Never shows credentials.
 */
export function urlProblem(text: string, { allow_http, allow_private }: Reach): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'expected a URL such as https://example.com/hooks, got something else';
  }
  if (url.username !== '' || url.password !== '')
    return 'expected a URL without user name and password: receivers know Sluice by its signature; other credentials go into `headers`';
  if (url.protocol !== 'https:' && !(allow_http && url.protocol === 'http:'))
    return `expected an https URL, got ${url.protocol}//${url.host}${url.protocol === 'http:' ? ' (`allow_http: true` allows it)' : ''}`;
  if (url.hash !== '') return 'expected a URL without a fragment: # and what follows is never sent';
  // The URL parser has made one form of all ways to write an IPv4 address: 0x7f.1, 2130706433 …
  const host = hostOf(url);
  if (isIP(host) !== 0 && !createAddressCheck(allow_private || [])(host))
    return `expected a public address, got ${host}: \`allow_private\` with its block allows it`;
  return undefined;
}

/** Name or address of a URL's host, an IPv6 address without its brackets. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
