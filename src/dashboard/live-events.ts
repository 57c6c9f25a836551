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
import type { PlatformSnapshot, PlatformView } from './platform-view.js';
import { changedDays } from './published-objects.js';
import { endedBetween } from './service-state.js';

export interface LiveTimes {
  /** Several things done within this time are one event, ms. */
  readonly settle: number;
  /** Other processes publish too: how often somebody who listens has it looked for, ms. */
  readonly poll: number;
  /** So often a stream says that it is alive, ms. */
  readonly heartbeat: number;
}

export const LIVE_TIMES: LiveTimes = { settle: 500, poll: 10_000, heartbeat: 15_000 };

/** Tells who listens that the answer of `/platform/current` is another one. Without listeners nothing is looked at. */
export class LiveEvents {
  private readonly done = new Subject<void>();
  /** Replayed: a browser asks again while running jobs are finished, and a stream that never ends would hold the server open. */
  private readonly closing = new ReplaySubject<void>(1);
  private readonly changes: Observable<Changed>;

  constructor(
    view: PlatformView,
    private readonly times: LiveTimes = LIVE_TIMES,
  ) {
    this.changes = defer(() => {
      let before: PlatformSnapshot | undefined;
      const look = async (): Promise<Changed | null> => {
        const after = await view.current().catch(() => undefined);
        const change = before && after && before.etag !== after.etag ? changeBetween(before, after) : null;
        before = after ?? before;
        return change;
      };
      const occasions = merge(this.done.pipe(auditTime(times.settle)), interval(times.poll));
      return merge(defer(look), occasions.pipe(concatMap(look))).pipe(filter((change) => change !== null));
    }).pipe(share());
  }

  /** Something was done in this process. */
  notify(): void {
    this.done.next();
  }

  /** Ends with `close`. */
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
    finished: endedBetween(before.state, after.state),
    progress: after.current.progress,
  };
}
