import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Only this part of IPv6 is given out for hosts of the internet (RFC 4291, section 2.4, and IANA's registry). */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/**
 * Addresses of clouds' own services to their machines that look public. 168.63.129.16: Azure's agent, health probes and DNS. Other
 * clouds use link-local, carrier-grade NAT or unique local addresses, which are refused as such.
 */
const CLOUD_INTERNAL: readonly string[] = ['168.63.129.16'];

/**
 * Makes the test whether a webhook may be sent to an IP address (a literal of either family, as a resolver or a URL gives it):
 * public unicast and no cloud's own, or within one of the `allowed` CIDR blocks. An IPv4 address in its IPv6 form (`::ffff:10.0.0.1`) counts as
 * what it is; forms that only carry an IPv4 address (NAT64, 6to4, Teredo) are refused. What is no address is refused.
 */
export function createAddressCheck(allowed: readonly string[]): (address: string) => boolean {
  // A block that is none is the schema's to refuse; whoever checks URLs beside it must not trip over it.
  const blocks = allowed.filter(isAddressBlock).map((block) => ipaddr.parseCIDR(block));
  return (text) => {
    // The library also reads the old short forms (127.1), which mean different things to different systems.
    if (isIP(text) === 0) return false;
    const address = ipaddr.process(text);
    if (blocks.some((block) => address.kind() === block[0].kind() && address.match(block))) return true;
    if (address.range() !== 'unicast' || CLOUD_INTERNAL.includes(address.toString())) return false;
    return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
  };
}

/** Whether a text is a block of addresses such as `10.0.0.0/8` or `fd00::/8`. */
export function isAddressBlock(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}
