import { Logger } from '@nestjs/common';
import type { PipelineKind } from '../../../src/domain/model.js';
import { moveWatermarks } from '../../../src/pipeline/advance-watermarks.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import {
  closePipelineRun,
  createPipelineRun,
  type NewPipelineRun,
} from '../../../src/pipeline/pipeline-run.js';
import { SchedulerService } from '../../../src/pipeline/scheduler.service.js';
import { settingsWith } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';
import { answersOf, planOf, sliceOf } from '../../support/plan.js';

Logger.overrideLogger(false);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-10T11:58:00Z');

let store: MemoryStore;
let now: number;
let made: { kind: PipelineKind; scheduledAt: number | null; window?: NewPipelineRun['window'] }[];
let dispatched: number;

/** Makes records, and finishes each run at once. */
const engine = {
  create: async (kind: PipelineKind, run: Omit<NewPipelineRun, 'now'>) => {
    const id = await createPipelineRun(store, kind, { ...run, now });
    if (id === undefined) return undefined;
    made.push({ kind, ...run });
    await closePipelineRun(
      store,
      { id, kind },
      { status: 'done', error: null, refused: [], summary: null },
      now,
    );
    return id;
  },
  dispatch: async () => {
    dispatched++;
  },
} as unknown as Engine;

beforeEach(() => {
  store = new MemoryStore();
  now = START;
  made = [];
  dispatched = 0;
});

const start = async (env: Record<string, string> = {}): Promise<SchedulerService> => {
  const scheduler = new SchedulerService(engine, store, settingsWith(env), () => now);
  await scheduler.onApplicationBootstrap();
  return scheduler;
};
/** The kinds that were made since the last question, in their order. */
const kinds = (): string[] => made.splice(0).map(({ kind }) => kind);
const lookAt = async (scheduler: SchedulerService, time: string | number): Promise<string[]> => {
  now = typeof time === 'number' ? time : Date.parse(time);
  await scheduler.tick();
  return kinds();
};
/** A store that was read before. */
const read = () =>
  moveWatermarks(
    store,
    'delta',
    planOf({
      to: START,
      chunks: [{ experiment_ids: ['1'], from: 0, sweep: false, observed_at: 0 }],
      slices: [sliceOf({})],
    }),
    new Map([[sliceOf({}).id, answersOf({ answered: ['1'] })]]),
  );

describe('a start', () => {
  it('on an empty store reads the history once, and owes nothing of the past', async () => {
    await start();
    expect(made).toEqual([{ kind: 'bootstrap', scheduledAt: 0 }]);
    made = [];
    now += MINUTE / 2;
    await start();
    expect(kinds()).toEqual([]);
  });

  it('on a store that was read makes up for what was missed, one of each', async () => {
    await read();
    for (const kind of ['delta', 'backup', 'historical'] as const) {
      await engine.create(kind, { scheduledAt: START - 3 * DAY });
    }
    made = [];
    await start();
    expect(made).toEqual([
      { kind: 'reevaluation', scheduledAt: START },
      { kind: 'delta', scheduledAt: Date.parse('2026-03-10T11:55:00Z') },
      { kind: 'historical', scheduledAt: Date.parse('2026-03-10T02:00:00Z') },
      { kind: 'backup', scheduledAt: Date.parse('2026-03-10T06:00:00Z') },
    ]);
  });
});

describe('a look', () => {
  it('makes what is due, once', async () => {
    const scheduler = await start();
    kinds();
    expect(await lookAt(scheduler, '2026-03-10T11:59:59Z')).toEqual([]);
    expect(await lookAt(scheduler, '2026-03-10T12:00:03Z')).toEqual(['delta', 'backup', 'reevaluation']);
    expect(await lookAt(scheduler, '2026-03-10T12:00:13Z')).toEqual([]);
    expect(await lookAt(scheduler, '2026-03-10T12:05:01Z')).toEqual(['delta']);
    expect(await lookAt(scheduler, '2026-03-11T02:00:01Z')).toEqual([
      'delta',
      'historical',
      'backup',
      'reevaluation',
    ]);
  });

  it('goes by the settings', async () => {
    const scheduler = await start({
      DELTA_SCHEDULE_MINUTES: '30',
      HISTORICAL_SCHEDULE_CRON: '0 14 * * *',
      SCHEDULE_TIMEZONE: 'Europe/Berlin',
    });
    kinds();
    expect(await lookAt(scheduler, '2026-03-10T12:05:00Z')).toEqual(['delta', 'reevaluation']);
    expect(await lookAt(scheduler, '2026-03-10T12:25:00Z')).toEqual([]);
    expect(await lookAt(scheduler, '2026-03-10T13:01:00Z')).toContain('historical');
  });

  it('looks hourly at what may still move, and daily at everything', async () => {
    const scheduler = await start();
    made = [];
    await lookAt(scheduler, '2026-03-10T13:00:00Z');
    await scheduler.tick();
    now = Date.parse('2026-03-10T14:00:00Z');
    await scheduler.tick();
    const from = Date.parse('2026-02-08T00:00:00Z');
    expect(made.filter(({ kind }) => kind === 'reevaluation')).toMatchObject([{ window: { from } }]);
    made = [];
    now = Date.parse('2026-03-11T00:00:00Z');
    await scheduler.tick();
    expect(made.find(({ kind }) => kind === 'reevaluation')).toEqual({
      kind: 'reevaluation',
      scheduledAt: now,
    });
  });

  it('dispatches once a minute', async () => {
    const scheduler = await start();
    expect(dispatched).toBe(1);
    await lookAt(scheduler, START + MINUTE - 1);
    expect(dispatched).toBe(1);
    await lookAt(scheduler, START + MINUTE);
    expect(dispatched).toBe(2);
  });

  it('goes on after the clock was far ahead', async () => {
    const scheduler = await start();
    await lookAt(scheduler, START + 400 * DAY);
    dispatched = 0;
    expect(await lookAt(scheduler, '2026-03-10T12:00:03Z')).toEqual(['delta', 'backup', 'reevaluation']);
    expect(dispatched).toBe(1);
    expect(await lookAt(scheduler, '2026-03-10T12:00:13Z')).toEqual([]);
    expect(await lookAt(scheduler, '2026-03-10T12:05:03Z')).toEqual(['delta']);
  });

  it('that fails is no end: the next one makes up for it', async () => {
    const scheduler = await start();
    kinds();
    store.beforePut = () => {
      throw new Error('no space left');
    };
    expect(await lookAt(scheduler, '2026-03-10T12:00:03Z')).toEqual([]);
    store.beforePut = () => undefined;
    expect(await lookAt(scheduler, '2026-03-10T12:00:13Z')).toEqual(['delta', 'backup', 'reevaluation']);
  });
});
