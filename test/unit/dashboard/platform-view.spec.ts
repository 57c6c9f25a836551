import { domainSettings, loadSettings } from '../../../src/config/settings.js';
import { PlatformFactsReader } from '../../../src/dashboard/platform-facts.js';
import { PlatformView } from '../../../src/dashboard/platform-view.js';
import { RULEBOOK_KEY, updateRulebook } from '../../../src/state/rulebook.js';
import type { Duck, DuckSession } from '../../../src/storage/duck.js';
import { MemoryStore } from '../../support/memory-store.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const settings = domainSettings(loadSettings({ MLFLOW_TRACKING_URI: 'http://localhost:5000' }));
const CONTEXT = {
  scope: settings,
  deltaPeriodMs: 300_000,
  mlflowUi: 'http://localhost:5000',
  lookbackDays: 30,
};

/** A store without Parquet, so that DuckDB runs no queries. */
function viewOf(clock = () => NOW) {
  const store = new MemoryStore();
  let sessions = 0;
  const duck = {
    session: async (work: (session: DuckSession) => Promise<unknown>) => {
      sessions++;
      return work({} as DuckSession);
    },
  } as unknown as Duck;
  return {
    store,
    view: new PlatformView(
      new PlatformFactsReader({ store, duck, settings, lateMs: 900_000 }),
      CONTEXT,
      clock,
    ),
    sessions: () => sessions,
    finishDelta: (at: number) => {
      const state = { version: 1, sequence: 1, last_nominal: null, last_finished: at, active: [] };
      return store.put('_state/kinds/delta.json', Buffer.from(JSON.stringify(state)));
    },
  };
}
const finishedOf = async (view: PlatformView) => (await view.current()).current.last_finished;

describe('PlatformView', () => {
  it('serves the snapshot until it is invalidated, then refreshes it', async () => {
    const { view, finishDelta } = viewOf();
    const first = await view.current();
    await finishDelta(NOW);
    expect(await view.current()).toBe(first);
    view.invalidate();
    const second = await view.current();
    expect(second.current.last_finished).toBe('2026-03-10T15:30:00.000Z');
    expect(second.answer.etag).not.toBe(first.answer.etag);
    view.invalidate();
    expect((await view.current()).answer).toBe(second.answer);
  });

  it('shares one refresh among concurrent requests', async () => {
    const { view, store } = viewOf();
    let lists = 0;
    const list = store.list.bind(store);
    store.list = (prefix) => {
      lists++;
      return list(prefix);
    };
    await view.current();
    const once = lists;
    view.invalidate();
    await Promise.all([view.current(), view.current(), view.current()]);
    expect(lists).toBe(2 * once);
  });

  it.each(['before the refresh ends', 'after the refresh has ended'])(
    'shows a change made during a refresh to a request made %s',
    async (when) => {
      const { view, store, finishDelta } = viewOf();
      let open: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => {
        open = resolve;
      });
      let reached: () => void = () => undefined;
      const read = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const get = store.get.bind(store);
      let gated = false;
      store.get = async (key) => {
        const object = await get(key);
        if (key === '_state/watermark.json' && !gated) {
          gated = true;
          reached();
          await gate;
        }
        return object;
      };
      const early = finishedOf(view);
      await read;
      await finishDelta(NOW);
      view.invalidate();
      const late = when.startsWith('before') ? finishedOf(view) : null;
      open();
      expect(await early).toBeNull();
      expect(await (late ?? finishedOf(view))).toBe('2026-03-10T15:30:00.000Z');
    },
  );

  it('reads Parquet again in a new hour, and not before', async () => {
    let now = NOW;
    const { view, sessions } = viewOf(() => now);
    await view.current();
    now += 29 * 60_000;
    view.invalidate();
    await view.current();
    expect(sessions()).toBe(1);
    now += 60_000;
    view.invalidate();
    expect((await view.current()).current.to).toBe('2026-03-10T17:00:00.000Z');
    expect(sessions()).toBe(2);
  });

  it('reads Parquet again if the rulebook was replaced while it was read', async () => {
    const { view, store, sessions } = viewOf();
    const response = { metadata: [], thresholds: [] };
    const book = updateRulebook(undefined, response, settings, { at: NOW, from: '2026-03-01' });
    const put = (metrics: string[]) =>
      store.put(RULEBOOK_KEY, Buffer.from(JSON.stringify({ ...book, asked: { metrics, experiments: [] } })));
    await put([]);
    const get = store.get.bind(store);
    store.get = async (key) => {
      const read = await get(key);
      if (key !== RULEBOOK_KEY) return read;
      store.get = get;
      await put(['accuracy']);
      return read;
    };
    await view.current();
    view.invalidate();
    await view.current();
    expect(sessions()).toBe(2);
  });

  it('retries after a failed refresh', async () => {
    const { view, store } = viewOf();
    const list = store.list.bind(store);
    store.list = () => {
      throw new Error('the store is unavailable');
    };
    await expect(view.current()).rejects.toThrow('the store is unavailable');
    store.list = list;
    expect((await view.current()).current.applications).toEqual([]);
  });
});
