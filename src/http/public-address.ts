/** The address under which people open the service, from `PUBLIC_URL`. */
export interface PublicAddress {
  readonly host: string;
  readonly hostname: string;
  readonly secure: boolean;
  /** The path below which a proxy serves it, without a slash at the end; empty for the root. */
  readonly path: string;
}

/** @param url `PUBLIC_URL` */
export function publicAddressOf(url: string | undefined): PublicAddress | null {
  if (url === undefined) return null;
  const { host, hostname, protocol, pathname } = new URL(url);
  return { host, hostname, secure: protocol === 'https:', path: pathname.replace(/\/+$/, '') };
}

/**
 * A request as it would be without the path of the proxy. Proxies remove it or keep it, and probes ask without it.
 * @param url path and query
 * @param path that of the proxy
 * @returns null for the path of the proxy without the slash after it, from where relative addresses lead elsewhere
 */
export function withoutProxyPath(url: string, path: string): string | null {
  if (path === '' || !url.startsWith(path)) return url;
  const below = url.slice(path.length);
  if (below.startsWith('/')) return below;
  return below === '' || below.startsWith('?') ? null : url;
}
