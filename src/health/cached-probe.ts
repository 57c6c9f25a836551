import type { Clock } from '../config/runtime.js';
import { errorMessage } from '../domain/errors.js';

export type ProbeResult<T> = { readonly value: T } | { readonly error: string };

export const resultValue = <T>(result: ProbeResult<T>): T | undefined =>
  'value' in result ? result.value : undefined;
export const resultError = (result: ProbeResult<unknown>): string | null =>
  'error' in result ? result.error : null;

export interface CachedProbeOptions {
  /** How long a successful result is cached, ms. */
  readonly freshMs: number;
  /** How long a caller waits at most, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

interface Attempt<T> {
  readonly result: Promise<ProbeResult<T>>;
  timedOut: boolean;
}

/** An attempt that never ends must not block later ones, but attempts must not pile up either. */
const MAX_CONCURRENT = 3;

/** Probes a dependency for any number of callers: caches the result, shares a running attempt, and times out. */
export class CachedProbe<T> {
  /** The end of the last successful attempt, ms; null if there was none. */
  lastSuccess: number | null = null;
  private cached: { readonly value: T; readonly until: number } | undefined;
  private attempt: Attempt<T> | undefined;
  private running = 0;

  constructor(
    private readonly probe: () => Promise<T>,
    private readonly options: CachedProbeOptions,
  ) {}

  /** Does not throw. */
  async get(): Promise<ProbeResult<T>> {
    if (this.cached && performance.now() < this.cached.until) return this.cached;
    if (!this.attempt || (this.attempt.timedOut && this.running < MAX_CONCURRENT)) {
      this.attempt = this.start();
    }
    return this.wait(this.attempt);
  }

  private start(): Attempt<T> {
    this.running++;
    const attempt: Attempt<T> = { timedOut: false, result: this.run() };
    attempt.result.finally(() => {
      this.running--;
      if (this.attempt === attempt) this.attempt = undefined;
    });
    return attempt;
  }

  private async run(): Promise<ProbeResult<T>> {
    const { freshMs, clock } = this.options;
    try {
      const value = await this.probe();
      this.cached = { value, until: performance.now() + freshMs };
      this.lastSuccess = clock();
      return { value };
    } catch (error) {
      return { error: errorMessage(error) };
    }
  }

  private async wait(attempt: Attempt<T>): Promise<ProbeResult<T>> {
    const { timeoutMs } = this.options;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<ProbeResult<T>>((resolve) => {
      timer = setTimeout(() => {
        attempt.timedOut = true;
        resolve({ error: `no response within ${timeoutMs / 1000} s` });
      }, timeoutMs);
    });
    try {
      return await Promise.race([attempt.result, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }
}
