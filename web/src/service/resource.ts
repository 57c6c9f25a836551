import { type Signal, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { setServiceTime } from './clock.js';

/** Why requests fail. */
export interface Failure {
  /** What happened, without a full stop. */
  readonly message: string;
  /** By which the log of the service names the request; null if no response arrived. */
  readonly requestId: string | null;
  /** HTTP status; null if no response arrived. */
  readonly status: number | null;
  /** When the first of the failing requests ended, ms of the browser's clock. */
  readonly since: number;
}

/** What is known of a response of the read API. A failure leaves the last data. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly failure: Failure | null;
}

const TIMEOUT_MS = 15_000;

/** A response of the read API, kept until it changes. */
class Resource<T> {
  readonly state: Signal<Loaded<T>> = signal({ data: undefined, failure: null });
  /** How many parts of the page show it. */
  users = 0;
  private etag: string | null = null;
  private loading: Promise<void> | undefined;
  private again = false;

  constructor(readonly path: string) {}

  /** Requests it. If a request is already running, requests it once more after it. */
  load(): Promise<void> {
    if (this.loading) {
      this.again = true;
      return this.loading;
    }
    this.loading = this.request().finally(() => {
      this.loading = undefined;
      if (!this.again) return;
      this.again = false;
      this.load();
    });
    return this.loading;
  }

  private async request(): Promise<void> {
    try {
      // The browser adds If-None-Match, and answers a 304 from its cache.
      const response = await fetch(this.path, { cache: 'no-cache', signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) return this.fail(await failureOf(response));
      const etag = response.headers.get('ETag');
      const { data, failure } = this.state.value;
      // Unchanged data renders nothing.
      const unchanged = data !== undefined && etag !== null && etag === this.etag;
      const received = unchanged ? data : ((await response.json()) as T);
      this.etag = etag;
      if (received !== data || failure) this.state.value = { data: received, failure: null };
      setServiceTime(response.headers.get('Date'));
    } catch {
      this.fail({ message: 'The service did not respond', requestId: null, status: null });
    }
  }

  private fail(failure: Omit<Failure, 'since'>): void {
    const { data, failure: before } = this.state.value;
    this.state.value = { data, failure: { ...failure, since: before?.since ?? Date.now() } };
  }
}

async function failureOf(response: Response): Promise<Omit<Failure, 'since'>> {
  const { status, statusText, headers } = response;
  const problem = (await response.json().catch(() => null)) as { detail?: unknown } | null;
  const detail = typeof problem?.detail === 'string' ? problem.detail.replace(/\.$/, '') : null;
  return {
    message: detail ?? `The service returned HTTP ${status} ${statusText}`.trim(),
    requestId: headers.get('X-Request-Id'),
    status,
  };
}

const resources = new Map<string, Resource<unknown>>();
/** Responses kept for the back button after no part of the page shows them any more. */
const MAX_UNUSED = 20;

export function resourceAt<T>(path: string): Resource<T> {
  const found = resources.get(path) ?? new Resource<unknown>(path);
  // Moves it to the end: the others are older.
  resources.delete(path);
  resources.set(path, found);
  return found as Resource<T>;
}

function dropUnused(): void {
  const unused = [...resources.values()].filter(({ users }) => users === 0);
  for (const { path } of unused.slice(0, -MAX_UNUSED)) resources.delete(path);
}

/** Requests everything again that the page shows. What has not changed is not transferred. */
export function reloadAll(onlyFailed = false): void {
  for (const resource of resources.values()) {
    if (resource.users > 0 && !(onlyFailed && resource.state.value.failure === null)) resource.load();
  }
}

/** A response for a part of the page, requested when the part appears and whenever the service reports a change. */
export interface Use<T> extends Loaded<T> {
  /** Whether `data` is that of the path before, until that of this path arrives. */
  readonly previous: boolean;
  readonly reload: () => void;
}

/** @param path below `/api/v1`; null: nothing to request */
export function useResource<T>(path: string | null): Use<T> {
  const resource = path === null ? null : resourceAt<T>(path);
  const last = useRef<T | undefined>(undefined);
  useEffect(() => {
    if (!resource) return;
    resource.users++;
    resource.load();
    return () => {
      resource.users--;
      dropUnused();
    };
  }, [resource]);
  const { data, failure } = resource?.state.value ?? { data: undefined, failure: null };
  if (data !== undefined) last.current = data;
  const previous = resource !== null && data === undefined && failure === null && last.current !== undefined;
  return {
    data: previous ? last.current : data,
    failure,
    previous,
    reload: () => {
      resource?.load();
    },
  };
}

/** Whether each request has ended, with data or with a failure. */
export const isSettled = (...uses: readonly Loaded<unknown>[]): boolean =>
  uses.every(({ data, failure }) => data !== undefined || failure !== null);
