import { type OccurredError, subscribe } from './diagnostics.js';

/** An error that occurred, once or repeatedly, in the last `CURRENT_MS`. Times in ms. */
export interface RepeatedError extends OccurredError {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/** An error that did not occur for so long is over, ms. docs/api.md names it. */
export const CURRENT_MS = 15 * 60_000;
/** At most one log line of an error in this time, ms. docs/operations.md names it. */
export const LINE_PERIOD_MS = 60_000;
/** The errors that did not occur for longest are forgotten first. */
const MAX_ERRORS = 200;

interface Entry {
  error: RepeatedError;
  loggedAt: number;
  loggedCount: number;
}

export interface RepeatedErrorsOptions {
  /** ms */
  readonly clock: () => number;
  /** Logs an error: its first occurrence, then at most once a minute with how often it has occurred. */
  readonly log: (error: RepeatedError) => void;
  /** Calls once after a time, ms. By default a timer that keeps no process alive. */
  readonly later?: (ms: number, call: () => void) => void;
}

/**
 * The current errors of this process. The same error (code, upstream, experiment, stage) is logged when it first occurs and
 * then in one line a minute, in place of a line for each occurrence.
 */
export class RepeatedErrors {
  private readonly entries = new Map<string, Entry>();
  private isWaiting = false;
  private readonly unsubscribe: () => void;

  constructor(private readonly options: RepeatedErrorsOptions) {
    this.unsubscribe = subscribe((event) => event.type === 'error' && this.report(event.error));
  }

  /** Called by Nest. Ends the counting of what `reportError` reports. */
  onApplicationShutdown(): void {
    this.unsubscribe();
  }

  report(occurred: OccurredError): void {
    const now = this.options.clock();
    this.forget(now);
    const { code, upstream, experiment_id, stage } = occurred;
    const key = JSON.stringify([code, upstream, experiment_id, stage]);
    const known = this.entries.get(key);
    const error = {
      ...occurred,
      count: (known?.error.count ?? 0) + 1,
      first: known?.error.first ?? now,
      last: now,
    };
    const entry = { error, loggedAt: known?.loggedAt ?? now, loggedCount: known?.loggedCount ?? 0 };
    // The last ones are those that occurred last.
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (!known || now - entry.loggedAt >= LINE_PERIOD_MS) this.log(entry, now);
    else this.logLater();
  }

  /** The errors that are not over, the newest first. */
  current(): RepeatedError[] {
    this.forget(this.options.clock());
    return [...this.entries.values()].map(({ error }) => error).reverse();
  }

  private log(entry: Entry, now: number): void {
    entry.loggedAt = now;
    entry.loggedCount = entry.error.count;
    this.options.log(entry.error);
  }

  private logLater(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    const { later = wait } = this.options;
    later(LINE_PERIOD_MS, () => {
      this.isWaiting = false;
      const now = this.options.clock();
      for (const entry of this.entries.values()) {
        if (entry.error.count > entry.loggedCount) this.log(entry, now);
      }
    });
  }

  private forget(now: number): void {
    for (const [key, { error }] of this.entries) {
      if (this.entries.size > MAX_ERRORS || now - error.last >= CURRENT_MS) this.entries.delete(key);
    }
  }
}

const wait = (ms: number, call: () => void): void => {
  setTimeout(call, ms).unref();
};

/** `fetch, attempt 2: MLflow is unreachable: … → Start it (12 times since 2026-03-10T15:30:00.000Z)` */
export function lineOf(error: RepeatedError): string {
  const { stage, experiment_id, message, advice, attempt, count, first } = error;
  const where = [
    stage,
    experiment_id === null ? null : `experiment ${experiment_id}`,
    attempt === null ? null : `attempt ${attempt}`,
  ].filter((part) => part !== null);
  const times = count === 1 ? '' : ` (${count} times since ${new Date(first).toISOString()})`;
  const todo = advice === null ? '' : ` → ${advice}`;
  return `${where.join(', ')}${where.length > 0 ? ': ' : ''}${message}${todo}${times}`;
}
