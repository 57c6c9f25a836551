import { BlockList, isIP } from 'node:net';
import type { AxiosProxyConfig } from 'axios';

/** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface ProxySettings {
  /** For `http:` addresses: an `http:` or `https:` URL. */
  readonly http?: string | undefined;
  /** For `https:` addresses. */
  readonly https?: string | undefined;
  /** Hosts without a proxy: `*`, names that also stand for all names below them, addresses and networks, optionally with a port. */
  readonly except: readonly string[];
}

/**
 * The proxy for requests to this address, as MLflow's own client chooses it (`should_bypass_proxies` of requests). Unlike
 * there, loopback addresses are requested directly: no proxy on another machine can reach them.
 *
 * axios can read the variables itself, but takes a name in NO_PROXY for no names below it, and does not decode the password.
 * @returns `false` for none
 */
export function proxyFor(address: string, { http, https, except }: ProxySettings): AxiosProxyConfig | false {
  const target = new URL(address);
  const proxy = target.protocol === 'https:' ? https : http;
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (!proxy || LOOPBACK.test(host) || except.some((entry) => isExcepted(entry.toLowerCase(), host, target)))
    return false;
  const { protocol, hostname, port, username, password } = new URL(proxy);
  return {
    protocol,
    host: hostname,
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    ...(username
      ? { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }
      : {}),
  };
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

function isExcepted(entry: string, host: string, { port, protocol }: URL): boolean {
  if (entry === '*') return true;
  const [, network = '', bits] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (bits) return isInNetwork(host, network, Number(bits));
  const [, name = '', , only] = /^\[?(.*?)\]?(:(\d+))?$/.exec(isIP(entry) ? `[${entry}]` : entry) ?? [];
  if (only && only !== (port || (protocol === 'https:' ? '443' : '80'))) return false;
  const domain = name.replace(/^\*?\./, '');
  return domain !== '' && (host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`)));
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const version = isIP(network);
  if (version === 0 || isIP(host) !== version || bits > (version === 4 ? 32 : 128)) return false;
  const type = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}

/** The proxy without its credentials, for messages. */
export const proxyAddress = ({ protocol, host, port }: AxiosProxyConfig): string =>
  `${protocol ?? 'http:'}//${host}:${port}`;

/** What requests through the proxy are authorized with. */
export const proxySecrets = ({ auth }: AxiosProxyConfig): readonly string[] =>
  auth ? [auth.password, Buffer.from(`${auth.username}:${auth.password}`).toString('base64')] : [];
