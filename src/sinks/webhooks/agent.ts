import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { Agent, buildConnector } from 'undici';

/** An address that a name stands for. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a name, as the system does. */
export type Resolve = (name: string) => Promise<readonly ResolvedAddress[]>;

/** A connection was refused here, because the address is none that webhooks may go to. */
class ForbiddenAddressError extends Error {
  override name = 'ForbiddenAddressError';
  readonly code = 'FORBIDDEN_ADDRESS';
}

const CONNECT_TIMEOUT = 5_000;
const resolveBySystem: Resolve = (name) => lookup(name, { all: true });

/**
 * HTTP connections to allowed addresses only. Names are resolved for each connection and the connection is made to an address that
 * was checked, so that a name that changes its address between check and use gains nothing. Redirects are not followed, proxies
 * of the environment are not used, and answers with more than 16 KiB of headers fail.
 */
export function createAgent(options: {
  readonly isAllowed: (address: string) => boolean;
  readonly resolve?: Resolve;
}): Agent {
  const { isAllowed, resolve = resolveBySystem } = options;

  async function usableOf(name: string): Promise<ResolvedAddress[]> {
    const found = await resolve(name);
    const usable = found.filter(({ address }) => isAllowed(address));
    if (usable.length > 0) return usable;
    throw forbidden(name, found.map(({ address }) => address).join(', '));
  }

  const checkedLookup: LookupFunction = (name, { all }, callback) => {
    callbackify(usableOf)(name, (error, usable) => {
      if (error) callback(error, '', 4);
      else if (all) callback(null, usable);
      else callback(null, usable[0]!.address, usable[0]!.family);
    });
  };

  const connector = buildConnector({ timeout: CONNECT_TIMEOUT, lookup: checkedLookup });
  return new Agent({
    connect(target, callback) {
      // Addresses are never looked up.
      const host = target.hostname.replace(/^\[|\]$/g, '');
      if (isIP(host) !== 0 && !isAllowed(host)) callback(forbidden(host, host), null);
      else connector(target, callback);
    },
    keepAliveTimeout: 2_000,
    maxHeaderSize: 16_384,
  });
}

function forbidden(name: string, addresses: string): ForbiddenAddressError {
  return new ForbiddenAddressError(
    `expected a public address, ${name} is ${addresses || 'none'}: \`allow_private\` with its block allows it`,
  );
}
