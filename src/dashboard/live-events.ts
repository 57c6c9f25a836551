import type { MessageEvent } from '@nestjs/common';
import {
  auditTime,
  concatMap,
  defer,
  filter,
  interval,
  map,
  merge,
  Observable,
  ReplaySubject,
  Subject,
  share,
  takeUntil,
} from 'rxjs';
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

/** Notifies listeners when the response of `/platform/current` changes. Without listeners the view is not polled. */
export class LiveEvents {
  private readonly changedHere = new Subject<void>();
  /**
   * Replayed, so that it ends streams opened later as well: a browser reconnects while running jobs finish, and an open
   * stream would keep the server open.
   */
  private readonly closing = new ReplaySubject<void>(1);
  private readonly changes: Observable<Changed>;

  constructor(
    view: PlatformView,
    private readonly times: LiveTimes = LIVE_TIMES,
  ) {
    this.changes = defer(() => {
      let before: PlatformSnapshot | undefined;
      const poll = async (): Promise<Changed | null> => {
        const after = await view.current().catch(() => undefined);
        const change = before && after && before.etag !== after.etag ? changeBetween(before, after) : null;
        before = after ?? before;
        return change;
      };
      const triggers = merge(this.changedHere.pipe(auditTime(times.settle)), interval(times.poll));
      return merge(defer(poll), triggers.pipe(concatMap(poll))).pipe(filter((change) => change !== null));
    }).pipe(share());
  }

  /** Call after this process has done work that may have changed the response. */
  notify(): void {
    this.changedHere.next();
  }

  /** Completes on `close`. */
  stream(clock: () => number): Observable<MessageEvent> {
    const heartbeat = defer(() => interval(this.times.heartbeat)).pipe(
      map(() => ({ type: 'heartbeat', data: { at: new Date(clock()).toISOString() } })),
    );
    const changed = this.changes.pipe(map((data) => ({ type: 'changed', data })));
    return merge(changed, heartbeat).pipe(takeUntil(this.closing));
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
