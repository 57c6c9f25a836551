import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { MonitorError } from '../../domain/errors.js';

/** IPv4 addresses that are not global: https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast. */
const IPV4_NOT_GLOBAL = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;
/**
 * Global unicast addresses are in 2000::/3; of these, the ones that are special or that contain an IPv4 address are refused:
 * https://www.iana.org/assignments/iana-ipv6-special-registry.
 */
const IPV6_GLOBAL = ['2000::', 3] as const;
const IPV6_NOT_GLOBAL = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const refused = new BlockList();
for (const [net, prefix] of IPV4_NOT_GLOBAL) refused.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of IPV6_NOT_GLOBAL) refused.addSubnet(net, prefix, 'ipv6');
const unicast = new BlockList();
unicast.addSubnet(...IPV6_GLOBAL, 'ipv6');

/** Whether an IP address is one of the public internet. IPv4 addresses in IPv6 notation are not: nobody needs them. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !refused.check(address, 'ipv4');
  return version === 6 && unicast.check(address, 'ipv6') && !refused.check(address, 'ipv6');
}

/** `address_refused`: the settings forbid this address. */
const refusal = (address: string): MonitorError =>
  new MonitorError(
    'address_refused',
    `the address ${address} is not public: set ALERT_ALLOW_PRIVATE_ADDRESSES=true if that is intended`,
  );

/** A connection that goes only to public addresses. The check is that of the connection itself: a name may resolve to another address each time. */
export interface AddressGuard {
  /** For agents and sockets; they do not call it for literal addresses. */
  readonly lookup: LookupFunction;
  /**
   * Checks a literal address.
   * @param host as in a URL, with brackets around an IPv6 address
   * @throws {MonitorError} `address_refused`
   */
  check(host: string): void;
}

/** @param resolve resolves a name to all its addresses */
export function createAddressGuard(allowPrivate: boolean, resolve = systemLookup): AddressGuard {
  const isAllowed = (address: string) => allowPrivate || isPublicAddress(address);
  return {
    check(host) {
      const address = host.replace(/^\[(.*)\]$/, '$1');
      if (isIP(address) !== 0 && !isAllowed(address)) throw refusal(address);
    },
    lookup(hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, []);
        const bad = addresses.find(({ address }) => !isAllowed(address));
        if (bad) return callback(refusal(bad.address), []);
        const [first] = addresses;
        if (options.all || !first) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    },
  };
}
