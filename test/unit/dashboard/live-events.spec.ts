import { jest } from '@jest/globals';
import type { MessageEvent } from '@nestjs/common';
import { LiveEvents } from '../../../src/dashboard/live-events.js';
import type { PlatformSnapshot, PlatformView } from '../../../src/dashboard/platform-view.js';
import { PIPELINE_KINDS } from '../../../src/domain/model.js';

const KEY = 'runs/2026/03/10/part-0.parquet';
const TIMES = { settle: 500, poll: 10_000, heartbeat: 15_000 };
const KINDS = Object.fromEntries(PIPELINE_KINDS.map((kind) => [kind, { sequence: 0, active: [] }]));

/** Alerts that do not change. */
const quiet = async () => 'same';

/** A view whose snapshot the test sets. */
function fakeView() {
  let polls = 0;
  let view = { answer: { etag: '0' }, published: new Map(), kinds: KINDS, current: { progress: [] } };
  let failing = false;
  return {
    polls: () => polls,
    change(etag: string, more: Partial<typeof view> = {}) {
      view = { ...view, answer: { etag }, ...more };
    },
    fail(fails: boolean) {
      failing = fails;
    },
    view: {
      async current() {
        polls++;
        if (failing) throw new Error('the store is unavailable');
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
    const received: MessageEvent[] = [];
    let ended = false;
    const subscription = live
      .stream('10.0.0.7', () => 0)
      .subscribe({
        next: (event) => received.push(event),
        complete: () => {
          ended = true;
        },
      });
    return { received, ended: () => ended, leave: () => subscription.unsubscribe() };
  };

  it('refuses more streams of one address, or in all, until one of them ends', () => {
    const live = new LiveEvents(fakeView().view, quiet, TIMES, { perAddress: 2, inAll: 3 });
    const open = (address: string) => live.stream(address, () => 0).subscribe();
    const refused = expect.objectContaining({ code: 'too_many_streams' });
    const first = open('a');
    open('a');
    expect(() => open('a')).toThrow(refused);
    open('b');
    expect(() => open('c')).toThrow(refused);
    first.unsubscribe();
    open('c');
    expect(() => open('a')).toThrow(refused);
    live.close();
  });

  it('sends one event for several changes in this process', async () => {
    const fake = fakeView();
    const live = new LiveEvents(fake.view, quiet, TIMES);
    const first = listen(live);
    const second = listen(live);
    await pass(100);
    fake.change('1', {
      published: new Map([[KEY, { key: KEY, etag: 'a', size: 1 }]]),
      kinds: { ...KINDS, delta: { sequence: 1, active: [] } },
    });
    for (let i = 0; i < 20; i++) live.notify();
    await pass(TIMES.settle);
    expect(first.received).toEqual([
      { type: 'changed', data: { published: ['2026-03-10'], finished: ['delta-1'], progress: [] } },
    ]);
    expect(second.received).toEqual(first.received);
    expect(fake.polls()).toBe(2);
    live.notify();
    await pass(TIMES.settle);
    expect(first.received).toHaveLength(1);
  });

  it('sends an event for a change by another process', async () => {
    const fake = fakeView();
    const { received } = listen(new LiveEvents(fake.view, quiet, TIMES));
    await pass(100);
    fake.change('1');
    await pass(TIMES.poll);
    expect(received).toHaveLength(1);
  });

  it('continues after a failed poll', async () => {
    const fake = fakeView();
    const live = new LiveEvents(fake.view, quiet, TIMES);
    const { received } = listen(live);
    await pass(100);
    fake.fail(true);
    live.notify();
    await pass(TIMES.settle);
    fake.fail(false);
    fake.change('1');
    live.notify();
    await pass(TIMES.settle);
    expect(received).toHaveLength(1);
  });

  it('sends heartbeats, and completes on close', async () => {
    const fake = fakeView();
    const live = new LiveEvents(fake.view, quiet, TIMES);
    const { received, ended } = listen(live);
    await pass(TIMES.heartbeat);
    expect(received).toEqual([{ type: 'heartbeat', data: { at: '1970-01-01T00:00:00.000Z' } }]);
    expect(ended()).toBe(false);
    live.close();
    expect(ended()).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('completes at once a stream that is opened after close', () => {
    const live = new LiveEvents(fakeView().view, quiet, TIMES);
    live.close();
    expect(listen(live).ended()).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not poll without listeners', async () => {
    const fake = fakeView();
    const live = new LiveEvents(fake.view, quiet, TIMES);
    live.notify();
    await pass(TIMES.poll);
    expect(fake.polls()).toBe(0);
    const { leave } = listen(live);
    await pass(100);
    leave();
    live.notify();
    await pass(10 * TIMES.poll);
    expect(fake.polls()).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends an event of its own when alerts change, also after the store was away', async () => {
    const versions = ['1', '2', '2', new Error('away'), '3'];
    const next = async () => {
      const version = versions.length > 1 ? versions.shift() : versions[0];
      if (version instanceof Error) throw version;
      return version ?? '';
    };
    const { received, leave } = listen(new LiveEvents(fakeView().view, next, TIMES));
    await pass(100);
    const events: number[] = [];
    for (let poll = 0; poll < 4; poll++) {
      await pass(TIMES.poll);
      events.push(received.filter(({ type }) => type === 'alerts').length);
    }
    expect(events).toEqual([1, 1, 1, 2]);
    leave();
  });
});
