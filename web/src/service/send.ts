/** What a request returned that is not kept. */
export interface Answer {
  /** HTTP status; 0 if the service does not answer. */
  readonly status: number;
  /** Who is signed in. */
  readonly admin?: string | null;
  /** Why it was refused, in words. */
  readonly detail?: string;
}

export async function send(method: string, path: string, body?: object): Promise<Answer> {
  try {
    const response = await fetch(path, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
    });
    return { ...((await response.json()) as object), status: response.status };
  } catch {
    return { status: 0 };
  }
}

/** What to tell people about a request that failed. */
export const problemOf = ({ status, detail }: Answer): string =>
  detail ?? (status === 0 ? 'The service does not answer.' : `The service returned HTTP ${status}.`);
