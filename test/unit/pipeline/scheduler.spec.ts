import { Logger } from '@nestjs/common';
import type { PipelineKind } from '../../../src/domain/model.js';
import { advanceWatermarks } from '../../../src/pipeline/advance-watermarks.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import {
  closePipelineRun,
  createPipelineRun,
  type NewPipelineRun,
} from '../../../src/pipeline/pipeline-run.js';
import { SchedulerService } from '../../../src/pipeline/scheduler.service.js';
import { onlyProcess, settingsWith } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf, planOf, sliceOf } from '../../support/stage-results.js';

Logger.overrideLogger(false);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-10T11:58:00Z');

let store: MemoryStore;
let now: number;
let created: { kind: PipelineKind; scheduledAt: number | null; window?: NewPipelineRun['window'] }[];
let dispatches: number;

/** Creates records and closes each pipeline run at once. */
const engine = {
  create: async (kind: PipelineKind, run: Omit<NewPipelineRun, 'now'>) => {
    const id = await createPipelineRun(store, kind, { ...run, now });
    if (id === undefined) return undefined;
    created.push({ kind, ...run });
    await closePipelineRun(
      store,
      { id, kind },
      { status: 'done', error: null, refused: [], summary: null },
      now,
    );
    return id;
  },
  dispatch: async () => {
    dispatches++;
  },
} as unknown as Engine;

beforeEach(() => {
  store = new MemoryStore();
  now = START;
  created = [];
  dispatches = 0;
});

const start = async (env: Record<string, string> = {}): Promise<SchedulerService> => {
  const scheduler = new SchedulerService(engine, store, settingsWith(env), () => now, onlyProcess);
  await scheduler.start();
  return scheduler;
};
/** The kinds of the pipeline runs that were created since the last call, in order. */
const takeKinds = (): string[] => created.splice(0).map(({ kind }) => kind);
const tickAt = async (scheduler: SchedulerService, time: string | number): Promise<string[]> => {
  now = typeof time === 'number' ? time : Date.parse(time);
  await scheduler.tick();
  return takeKinds();
};
/** Makes the store one with data. */
const fillStore = () =>
  advanceWatermarks(
    store,
    'delta',
    planOf({
      to: START,
      chunks: [{ experiment_ids: ['1'], from: 0, sweep: false, observed_at: 0, never_ended: true }],
      slices: [sliceOf({})],
    }),
    new Map([[sliceOf({}).id, fetchResultOf({ answered: ['1'] })]]),
  );

describe('at a start, the scheduler', () => {
  it('bootstraps an empty store once, and catches up on nothing', async () => {
    await start();
    expect(created).toEqual([{ kind: 'bootstrap', scheduledAt: 0 }]);
    created = [];
    now += MINUTE / 2;
    await start();
    expect(takeKinds()).toEqual([]);
  });

  it('starts with invalid watermarks, without a bootstrap', async () => {
    store.objects.set('_state/watermark.json', Buffer.from('{'));
    await start();
    expect(takeKinds()).toEqual(['reevaluation']);
  });

  it('catches up on a store with data, with one run of each kind', async () => {
    await fillStore();
    for (const kind of ['delta', 'backup', 'historical'] as const) {
      await engine.create(kind, { scheduledAt: START - 3 * DAY });
    }
    created = [];
    await start();
    expect(created).toEqual([
      { kind: 'reevaluation', scheduledAt: START },
      { kind: 'delta', scheduledAt: Date.parse('2026-03-10T11:55:00Z') },
      { kind: 'historical', scheduledAt: Date.parse('2026-03-10T02:00:00Z') },
      { kind: 'backup', scheduledAt: Date.parse('2026-03-10T06:00:00Z') },
    ]);
  });
});

describe('at a tick, the scheduler', () => {
  it('creates the runs that are due, once', async () => {
    const scheduler = await start();
    takeKinds();
    expect(await tickAt(scheduler, '2026-03-10T11:59:59Z')).toEqual([]);
    expect(await tickAt(scheduler, '2026-03-10T12:00:03Z')).toEqual(['delta', 'backup', 'reevaluation']);
    expect(await tickAt(scheduler, '2026-03-10T12:00:13Z')).toEqual([]);
    expect(await tickAt(scheduler, '2026-03-10T12:05:01Z')).toEqual(['delta']);
    expect(await tickAt(scheduler, '2026-03-11T02:00:01Z')).toEqual([
      'delta',
      'historical',
      'backup',
      'reevaluation',
    ]);
  });

  it('uses the schedules of the settings', async () => {
    const scheduler = await start({
      DELTA_SCHEDULE_MINUTES: '30',
      HISTORICAL_SCHEDULE_CRON: '0 14 * * *',
      SCHEDULE_TIMEZONE: 'Europe/Berlin',
    });
    takeKinds();
    expect(await tickAt(scheduler, '2026-03-10T12:05:00Z')).toEqual(['delta', 'reevaluation']);
    expect(await tickAt(scheduler, '2026-03-10T12:25:00Z')).toEqual([]);
    expect(await tickAt(scheduler, '2026-03-10T13:01:00Z')).toContain('historical');
  });

  it('reevaluates the days of the historical run hourly and all days daily', async () => {
    const scheduler = await start();
    created = [];
    await tickAt(scheduler, '2026-03-10T13:00:00Z');
    await scheduler.tick();
    now = Date.parse('2026-03-10T14:00:00Z');
    await scheduler.tick();
    const from = Date.parse('2026-02-08T00:00:00Z');
    expect(created.filter(({ kind }) => kind === 'reevaluation')).toMatchObject([{ window: { from } }]);
    created = [];
    now = Date.parse('2026-03-11T00:00:00Z');
    await scheduler.tick();
    expect(created.find(({ kind }) => kind === 'reevaluation')).toEqual({
      kind: 'reevaluation',
      scheduledAt: now,
    });
  });

  it('dispatches once a minute', async () => {
    const scheduler = await start();
    expect(dispatches).toBe(1);
    await tickAt(scheduler, START + MINUTE - 1);
    expect(dispatches).toBe(1);
    await tickAt(scheduler, START + MINUTE);
    expect(dispatches).toBe(2);
  });

  it('continues after a clock that was far ahead is set back', async () => {
    const scheduler = await start();
    await tickAt(scheduler, START + 400 * DAY);
    dispatches = 0;
    expect(await tickAt(scheduler, '2026-03-10T12:00:03Z')).toEqual(['delta', 'backup', 'reevaluation']);
    expect(dispatches).toBe(1);
    expect(await tickAt(scheduler, '2026-03-10T12:00:13Z')).toEqual([]);
    expect(await tickAt(scheduler, '2026-03-10T12:05:03Z')).toEqual(['delta']);
  });

  it('schedules the other kinds while the state of one is invalid', async () => {
    const scheduler = await start();
    takeKinds();
    store.objects.set('_state/kinds/delta.json', Buffer.from('{'));
    dispatches = 0;
    expect(await tickAt(scheduler, '2026-03-10T12:00:03Z')).toEqual(['backup', 'reevaluation']);
    expect(dispatches).toBe(1);
  });

  it('catches up after a tick that failed', async () => {
    const scheduler = await start();
    takeKinds();
    store.beforePut = () => {
      throw new Error('no space left');
    };
    expect(await tickAt(scheduler, '2026-03-10T12:00:03Z')).toEqual([]);
    store.beforePut = () => undefined;
    expect(await tickAt(scheduler, '2026-03-10T12:00:13Z')).toEqual(['delta', 'backup', 'reevaluation']);
  });
});
