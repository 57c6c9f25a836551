import type { ReadApi } from '../../../src/dashboard/contract/read-api.js';
import { type Use, useResource } from './resource.js';

type Query<Path extends keyof ReadApi> = ReadApi[Path]['query'];

/** The address of a request of the read API relative to the service, also for links: `{ format: 'csv' }` downloads it. */
export function readAddress<Path extends keyof ReadApi>(path: Path, query: Query<Path>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return `${path.slice(1)}?${parameters}`;
}

/** A response of the read API for a part of the page. @param query null: nothing to request */
export const useApi = <Path extends keyof ReadApi>(
  path: Path,
  query: Query<Path> | null,
): Use<ReadApi[Path]['response']> => useResource(query === null ? null : readAddress(path, query));
