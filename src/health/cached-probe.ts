import { type Clock } from '../config/runtime.js';

/** What a look found, or why it found nothing. */
export type ProbeResult<T> = { readonly value: T } | { readonly error: string };

export const resultValue = <T>(seen: ProbeResult<T>): T | undefined =>
  'value' in seen ? seen.value : undefined;
export const resultError = (seen: ProbeResult<unknown>): string | null =>
  'error' in seen ? seen.error : null;

export interface CachedProbeOptions {
  /** How long what was found serves without another question, ms. */
  readonly freshMs: number;
  /** Nobody waits longer for an answer, ms. */
  readonly limitMs: number;
  readonly clock: Clock;
}

interface Flight<T> {
  readonly seen: Promise<ProbeResult<T>>;
  late: boolean;
}

/** A question that never came back must not be the only one; more than these would only pile up. */
const MOST_FLYING = 3;

/** Asks another service how it is, for whoever looks, however often: one question at a time, and no longer than the limit. */
export class CachedProbe<T> {
  /** When it answered last, ms; null: never. */
  lastSuccess: number | null = null;
  private found: { readonly value: T; readonly until: number } | undefined;
  private flight: Flight<T> | undefined;
  private flying = 0;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly options: CachedProbeOptions,
  ) {}

  /** Throws nothing. */
  async get(): Promise<ProbeResult<T>> {
    if (this.found && performance.now() < this.found.until) return this.found;
    if (!this.flight || (this.flight.late && this.flying < MOST_FLYING)) this.flight = this.begin();
    return this.wait(this.flight);
  }

  private begin(): Flight<T> {
    this.flying++;
    const flight: Flight<T> = { late: false, seen: this.question() };
    flight.seen.finally(() => {
      this.flying--;
      if (this.flight === flight) this.flight = undefined;
    });
    return flight;
  }

  private async question(): Promise<ProbeResult<T>> {
    const { freshMs, clock } = this.options;
    try {
      const value = await this.ask();
      this.found = { value, until: performance.now() + freshMs };
      this.lastSuccess = clock();
      return { value };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  private async wait(flight: Flight<T>): Promise<ProbeResult<T>> {
    const { limitMs } = this.options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<ProbeResult<T>>((resolve) => {
      timer = setTimeout(() => {
        flight.late = true;
        resolve({ error: `no answer within ${limitMs / 1000} s` });
      }, limitMs);
    });
    try {
      return await Promise.race([flight.seen, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
