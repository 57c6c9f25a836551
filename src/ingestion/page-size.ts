import { isTimeout } from './mlflow-responses.js';
import { PageTooBigError } from './page-limit.js';

/** Searches for so few runs are retried as usual after a timeout: their size is not the reason. */
const TIMEOUT_FLOOR = 10;
/** From 1000 runs, four timeouts lead to the floor: an unresponsive server gets less than twice as many requests. */
const TIMEOUT_DIVISOR = 4;

/** How many runs to request at once: fewer after a response that was too big or timed out, then more again. */
export class PageSize {
  current: number;
  /** Lower after a timeout: each further one would cost the whole time limit. */
  private ceiling: number;
  private limit: number | undefined;

  constructor(size: number) {
    this.current = size;
    this.ceiling = size;
  }

  get isReduced(): boolean {
    return this.current < this.ceiling || this.limit !== undefined;
  }

  /** Whether a timeout leads to a smaller request; otherwise the client retries the same. */
  get shrinksOnTimeout(): boolean {
    return this.current > TIMEOUT_FLOOR;
  }

  /**
   * Reduces the size after a failed request for `requested` runs.
   * @returns false if fewer runs would not help
   */
  shrink(error: unknown, requested: number): boolean {
    if (error instanceof PageTooBigError && requested > 1) {
      this.limit = error.cut.limit;
      // All runs but the last, which the cut hit, are known to fit. A page of experiments has no runs.
      const { runs } = error.cut;
      const half = Math.floor(requested / 2);
      this.current = runs === 0 ? half : Math.min(Math.max(1, runs - 1), half);
      return true;
    }
    if (isTimeout(error) && requested > TIMEOUT_FLOOR) {
      this.current = Math.max(TIMEOUT_FLOOR, Math.floor(requested / TIMEOUT_DIVISOR));
      this.ceiling = this.current;
      return true;
    }
    return false;
  }

  /** Grows after a response, at most to twice the size, and not beyond what probably fits. */
  grow(runs: number, bytes: number): void {
    const fitting =
      this.limit === undefined || runs === 0
        ? Number.POSITIVE_INFINITY
        : Math.floor(this.limit / 2 / (bytes / runs));
    this.current = Math.min(this.ceiling, this.current * 2, Math.max(this.current, fitting));
  }
}
