import type { MessageEvent } from '@nestjs/common';
import {
  auditTime,
  concatMap,
  defer,
  filter,
  finalize,
  interval,
  map,
  merge,
  Observable,
  ReplaySubject,
  Subject,
  share,
  takeUntil,
} from 'rxjs';
import { MonitorError } from '../domain/errors.js';
import type { Changed } from './contract.js';
import { endedBetween } from './pipeline-activity.js';
import type { PlatformSnapshot, PlatformView } from './platform-view.js';
import { changedDays } from './published-objects.js';

export interface LiveTimes {
  /** Changes within this time are merged into one event, ms. */
  readonly settle: number;
  /** How often the view is polled while there are listeners, as other processes publish too, ms. */
  readonly poll: number;
  /** Interval of the heartbeats of a stream, ms. */
  readonly heartbeat: number;
}

export const LIVE_TIMES: LiveTimes = { settle: 500, poll: 10_000, heartbeat: 15_000 };

/** Each stream holds a connection. Behind a proxy, all readers have one address. Without a stream the page polls. */
const STREAM_LIMITS = { perAddress: 200, inAll: 1_000 };

/** Notifies listeners when the response of `/platform/current` or of `/alerts` changes. Without listeners nothing is polled. */
export class LiveEvents {
  private readonly changedHere = new Subject<void>();
  /**
   * Replayed, so that it ends streams opened later as well: a browser reconnects while running jobs finish, and an open
   * stream would keep the server open.
   */
  private readonly closing = new ReplaySubject<void>(1);
  private readonly changes: Observable<MessageEvent>;
  /** Open streams by address. */
  private readonly open = new Map<string, number>();

  /** @param alertsVersion another text as soon as alerts have changed */
  constructor(
    view: PlatformView,
    alertsVersion: () => Promise<string>,
    private readonly times: LiveTimes = LIVE_TIMES,
    private readonly limits = STREAM_LIMITS,
  ) {
    const changed = defer(() => {
      let before: PlatformSnapshot | undefined;
      return this.polled(async () => {
        const after = await view.current().catch(() => undefined);
        const change =
          before && after && before.answer.etag !== after.answer.etag ? changeBetween(before, after) : null;
        before = after ?? before;
        return change && { type: 'changed', data: change };
      });
    });
    const alerts = defer(() => {
      let before: string | undefined;
      return this.polled(async () => {
        const after = await alertsVersion().catch(() => undefined);
        const isChanged = before !== undefined && after !== undefined && before !== after;
        before = after ?? before;
        return isChanged ? { type: 'alerts', data: {} } : null;
      });
    });
    this.changes = merge(changed, alerts).pipe(share());
  }

  /** At once, after work of this process, and regularly: what `poll` returns. */
  private polled(poll: () => Promise<MessageEvent | null>): Observable<MessageEvent> {
    const triggers = merge(this.changedHere.pipe(auditTime(this.times.settle)), interval(this.times.poll));
    return merge(defer(poll), triggers.pipe(concatMap(poll))).pipe(filter((event) => event !== null));
  }

  /** Call after this process has done work that may have changed the response. */
  notify(): void {
    this.changedHere.next();
  }

  /**
   * Completes on `close`.
   * @param address of the client
   * @throws {MonitorError} `too_many_streams`
   */
  stream(address: string, clock: () => number): Observable<MessageEvent> {
    const own = this.open.get(address) ?? 0;
    const all = [...this.open.values()].reduce((sum, count) => sum + count, 0);
    if (own >= this.limits.perAddress || all >= this.limits.inAll) {
      throw new MonitorError('too_many_streams', 'Too many event streams are open.', { address }, true);
    }
    const heartbeat = defer(() => interval(this.times.heartbeat)).pipe(
      map(() => ({ type: 'heartbeat', data: { at: new Date(clock()).toISOString() } })),
    );
    return defer(() => {
      this.open.set(address, (this.open.get(address) ?? 0) + 1);
      return merge(this.changes, heartbeat);
    }).pipe(
      takeUntil(this.closing),
      finalize(() => this.closed(address)),
    );
  }

  private closed(address: string): void {
    const left = (this.open.get(address) ?? 1) - 1;
    if (left > 0) this.open.set(address, left);
    else this.open.delete(address);
  }

  close(): void {
    this.closing.next();
  }
}

export function changeBetween(before: PlatformSnapshot, after: PlatformSnapshot): Changed {
  return {
    published: changedDays(before.published, after.published),
    finished: endedBetween(before.kinds, after.kinds),
    progress: after.current.progress,
  };
}
