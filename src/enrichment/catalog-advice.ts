import { errno } from '../domain/errors.js';

/** How a catalog API is requested: what an advice depends on. */
export interface CatalogAccess {
  /** The setting that has its address. */
  readonly setting: string;
  /** Where requests are sent to. */
  readonly url: string;
  readonly hasKey: boolean;
}

/** What to change after a response without success. */
export function adviseCatalogResponse(status: number, { setting, url, hasKey }: CatalogAccess): string {
  if (status < 400) return `Set ${setting} to the address that it leads to: redirects are not followed`;
  switch (status) {
    case 401:
    case 403:
      return `${hasKey ? 'Correct' : 'Set'} API_KEY`;
    case 404:
    case 405:
      return `Correct ${setting}: there is no such API at ${url}`;
    case 407:
      return 'Put the user name and password of the proxy into HTTP_PROXY or HTTPS_PROXY';
    case 413:
      return 'Let the API, and what stands in front of it, accept larger requests';
    case 429:
      return 'Raise CATALOG_CACHE_TTL_SECONDS, so that the API gets fewer requests';
    case 502:
    case 503:
    case 504:
      return `Start the API: what stands in front of it at ${new URL(url).host} cannot reach it`;
    default:
      return status >= 500
        ? 'Look into the log of the API'
        : `Correct the API, or ${setting}: docs/catalog.md says what is requested`;
  }
}

/** What to change after a response that cannot be read. */
export const adviseUnreadable = ({ setting }: CatalogAccess): string =>
  `Correct ${setting} if something else answers at this address, else what the API returns: docs/catalog.md describes it`;

/** @param cause the error of the request; `undefined` if it timed out */
export function adviseUnreachableCatalog(cause: unknown, { setting, url }: CatalogAccess): string {
  const host = new URL(url).host;
  if (cause === undefined) {
    return `Find out why the API does not answer, open the firewall to ${host}, or correct ${setting}`;
  }
  const text = `${codeOf(cause)} ${cause instanceof Error ? cause.message : ''}`;
  if (/ENOTFOUND|EAI_AGAIN/.test(text)) return `Correct the host name in ${setting}`;
  if (/self.signed|unable to (verify|get)/i.test(text)) {
    return `Set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of the authority that signed the one of ${host}`;
  }
  if (/altname/i.test(text)) return `Set the host in ${setting} to a name that its certificate contains`;
  if (/EPROTO|wrong version number|packet length/i.test(text)) {
    return `Set ${setting} to an address with http: the API does not speak TLS on this port`;
  }
  return `Start the API, or correct ${setting}`;
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** What to change if a catalog file cannot be read. */
export function adviseCatalogFile(cause: unknown, setting: string, file: string): string {
  switch (errno(cause)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `Correct the path in ${setting}, or create the file`;
    case 'EISDIR':
      return `Set ${setting} to a file: this is a folder`;
    case 'EACCES':
      return `Allow the user of the service to read ${file}`;
    default:
      return 'Correct the file: docs/catalog.md describes it';
  }
}
