import type { ReadApi } from '../../src/dashboard/contract/read-api.js';

/** The address of a request of the read API, also for links: `{ format: 'csv' }` downloads it. */
export function readAddress<Path extends keyof ReadApi>(path: Path, query: ReadApi[Path]['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  return `${path}?${parameters}`;
}

/**
 * Sends a request of the read API. The browser revalidates with the ETag of its copy, so an unchanged response is not sent again.
 * @throws {ReadError} the service returned an error
 */
export async function read<Path extends keyof ReadApi>(
  path: Path,
  query: ReadApi[Path]['query'],
  signal: AbortSignal | null = null,
): Promise<ReadApi[Path]['response']> {
  const response = await fetch(readAddress(path, query), { cache: 'no-cache', signal });
  if (response.ok) return (await response.json()) as ReadApi[Path]['response'];
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  const detail = problem.detail ?? `It returned HTTP ${response.status} ${response.statusText}`.trim();
  throw new ReadError(response.status, detail, response.headers.get('X-Request-Id'));
}

export class ReadError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Identifies the request in the log of the service; null if a proxy answered. */
    readonly requestId: string | null,
  ) {
    super(message);
  }
}
