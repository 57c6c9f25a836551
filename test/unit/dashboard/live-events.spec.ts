import { jest } from '@jest/globals';
import type { MessageEvent } from '@nestjs/common';
import { LiveEvents } from '../../../src/dashboard/live-events.js';
import type { PlatformSnapshot, PlatformView } from '../../../src/dashboard/platform-view.js';
import { PIPELINE_KINDS } from '../../../src/domain/model.js';

const TIMES = { settle: 500, poll: 10_000, heartbeat: 15_000 };
const state = (sequence: number) => ({
  kinds: Object.fromEntries(PIPELINE_KINDS.map((kind) => [kind, { sequence, active: [] }])),
});

/** A view whose answer the test sets. */
function answering() {
  let looks = 0;
  let view = { etag: '0', published: new Map(), state: state(0), current: { progress: [] } };
  let failing = false;
  return {
    looks: () => looks,
    becomes(etag: string, more: Partial<typeof view> = {}) {
      view = { ...view, etag, ...more };
    },
    fails(does: boolean) {
      failing = does;
    },
    view: {
      async current() {
        looks++;
        if (failing) throw new Error('the store is away');
        return view as unknown as PlatformSnapshot;
      },
    } as unknown as PlatformView,
  };
}

describe('LiveEvents', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
  const listen = (live: LiveEvents) => {
    const heard: MessageEvent[] = [];
    let ended = false;
    const subscription = live
      .stream(() => 0)
      .subscribe({
        next: (event) => heard.push(event),
        complete: () => {
          ended = true;
        },
      });
    return { heard, ended: () => ended, leave: () => subscription.unsubscribe() };
  };

  it('tells once what changed, soon after something was done here', async () => {
    const service = answering();
    const live = new LiveEvents(service.view, TIMES);
    const first = listen(live);
    const second = listen(live);
    await pass(100);
    service.becomes('1', {
      published: new Map([['runs/2026/03/10/part-0.parquet', 'a']]),
      state: { kinds: { ...state(0).kinds, delta: { sequence: 1, active: [] } } },
    });
    for (let i = 0; i < 20; i++) live.notify();
    await pass(TIMES.settle);
    expect(first.heard).toEqual([
      { type: 'changed', data: { published: ['2026-03-10'], finished: ['delta-1'], progress: [] } },
    ]);
    expect(second.heard).toEqual(first.heard);
    expect(service.looks()).toBe(2);
    live.notify();
    await pass(TIMES.settle);
    expect(first.heard).toHaveLength(1);
  });

  it('finds what another process published', async () => {
    const service = answering();
    const { heard } = listen(new LiveEvents(service.view, TIMES));
    await pass(100);
    service.becomes('1');
    await pass(TIMES.poll);
    expect(heard).toHaveLength(1);
  });

  it('goes on after a look that failed', async () => {
    const service = answering();
    const live = new LiveEvents(service.view, TIMES);
    const { heard } = listen(live);
    await pass(100);
    service.fails(true);
    live.notify();
    await pass(TIMES.settle);
    service.fails(false);
    service.becomes('1');
    live.notify();
    await pass(TIMES.settle);
    expect(heard).toHaveLength(1);
  });

  it('says that it is alive, and ends when the service stops', async () => {
    const service = answering();
    const live = new LiveEvents(service.view, TIMES);
    const { heard, ended } = listen(live);
    await pass(TIMES.heartbeat);
    expect(heard).toEqual([{ type: 'heartbeat', data: { at: '1970-01-01T00:00:00.000Z' } }]);
    expect(ended()).toBe(false);
    live.close();
    expect(ended()).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends a stream at once that is asked for while the service stops', () => {
    const live = new LiveEvents(answering().view, TIMES);
    live.close();
    expect(listen(live).ended()).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('looks at nothing while nobody listens', async () => {
    const service = answering();
    const live = new LiveEvents(service.view, TIMES);
    live.notify();
    await pass(TIMES.poll);
    expect(service.looks()).toBe(0);
    const { leave } = listen(live);
    await pass(100);
    leave();
    live.notify();
    await pass(10 * TIMES.poll);
    expect(service.looks()).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });
});
