import { MonitorError } from '../domain/errors.js';
import { interruptibleSleep, type Sleep } from './retry-policy.js';

export interface RequestLimitOptions {
  /** How many requests may be under way at a time. */
  readonly concurrency: number;
  /** How many requests may begin per second, evenly spaced; no limit by default. */
  readonly perSecond?: number | undefined;
  readonly sleep?: Sleep | undefined;
  /** A monotonic clock, ms. */
  readonly now?: (() => number) | undefined;
}

/** Limits the requests to one server. Those that wait go first come, first served. */
export class RequestLimit {
  private used = 0;
  private readonly waiting: (() => void)[] = [];
  /** When the next request may begin, ms. */
  private next = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: RequestLimitOptions) {}

  /**
   * Sends the request as soon as the limits allow it.
   * @param signal ends the wait for the rate
   * @throws {MonitorError} `stopping`, retryable, if the signal aborted before the request began
   */
  async run<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.acquireSlot();
    try {
      await this.awaitTurn(signal);
      return await request();
    } finally {
      this.releaseSlot();
    }
  }

  private async awaitTurn(signal: AbortSignal | undefined): Promise<void> {
    const { perSecond, sleep = interruptibleSleep, now = () => performance.now() } = this.options;
    if (perSecond === undefined) return;
    const time = now();
    const turn = Math.max(time, this.next);
    this.next = turn + 1000 / perSecond;
    if (turn === time) return;
    try {
      await sleep(Math.ceil(turn - time), signal);
    } catch (interruption) {
      if (!signal?.aborted) throw interruption;
    }
    if (signal?.aborted) throw new MonitorError('stopping', 'The service is stopping', {}, true);
  }

  private async acquireSlot(): Promise<void> {
    if (this.used < this.options.concurrency) this.used++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** Hands the slot to the request that has waited longest. */
  private releaseSlot(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.used--;
  }
}
