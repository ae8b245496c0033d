import { type LookupAddress, lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Networks of IPv4 that are not on the internet (IANA IPv4 Special-Purpose Address Registry). 198.18.0.0/15 is missing,
 * because VPN clients use it for names that they resolve themselves.
 */
const ipv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const;

/** The same of IPv6: unspecified, loopback, unique local, link-local, site-local, multicast. */
const ipv6 = [
  ['::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const;

const special = new BlockList();
for (const [network, prefix] of ipv6) special.addSubnet(network, prefix, 'ipv6');
for (const [network, prefix] of ipv4) {
  // Also matches IPv4-mapped addresses, `::ffff:10.0.0.1`.
  special.addSubnet(network, prefix);
  // Addresses of IPv6 that a gateway translates to IPv4: NAT64 (RFC 6052) and 6to4 (RFC 3056).
  special.addSubnet(`64:ff9b::${network}`, 96 + prefix, 'ipv6');
  const [a = 0, b = 0] = network.split('.').map(Number);
  special.addSubnet(`2002:${(a * 256 + b).toString(16)}::`, 16 + prefix, 'ipv6');
}

/** Whether an IP address is on the internet, and not private, link-local, loopback or otherwise special. */
export function isPublicAddress(address: string): boolean {
  const [unscoped = ''] = address.split('%');
  return !special.check(unscoped, isIP(unscoped) === 6 ? 'ipv6' : 'ipv4');
}

/** A host to which a server refers, and which is not on the internet. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';

  constructor(host: string, address: string) {
    super(
      host === address
        ? `${host} is a private address`
        : `${host} has the private address ${address}`,
    );
  }
}

/** Allows connections to public addresses, and to one host that may have any address. */
export class AddressGuard {
  readonly #trusted: string;

  /** @param trusted the host name of a URL */
  constructor(trusted: string) {
    this.#trusted = unbracketed(trusted);
  }

  /**
   * Checks the host name of a URL if it is an address; names are checked by `lookup`.
   * @throws {PrivateAddress}
   */
  check(hostname: string): void {
    const host = unbracketed(hostname);
    if (isIP(host) !== 0) this.#require(host, [host]);
  }

  /** Resolves a name for `net.connect`, so that the addresses that are checked are those that are used. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      try {
        this.#require(
          hostname,
          found.map(({ address }) => address),
        );
      } catch (refused) {
        return callback(refused as Error, []);
      }
      const [first] = found as [LookupAddress];
      return options.all ? callback(null, found) : callback(null, first.address, first.family);
    });
  };

  #require(host: string, addresses: readonly string[]): void {
    const refused = addresses.find((address) => !isPublicAddress(address));
    if (refused !== undefined && host !== this.#trusted) throw new PrivateAddress(host, refused);
  }
}

/** URLs have addresses of IPv6 in brackets. */
function unbracketed(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
