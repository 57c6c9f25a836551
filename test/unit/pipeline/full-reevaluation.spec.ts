import { Logger } from '@nestjs/common';
import type { PipelineKind, Window } from '../../../src/domain/model.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import {
  closePipelineRun,
  createPipelineRun,
  type NewPipelineRun,
  readPipelineRun,
} from '../../../src/pipeline/pipeline-run.js';
import { SchedulerService } from '../../../src/pipeline/scheduler.service.js';
import { readKindState } from '../../../src/state/kind-state.js';
import { updateWatermarks } from '../../../src/state/watermarks.js';
import { onlyProcess, settingsWith } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

Logger.overrideLogger(false);
const at = (time: string): number => Date.parse(time);

let store: MemoryStore;
let now: number;

/** Creates records and closes none. */
const engine = {
  create: (kind: PipelineKind, run: Omit<NewPipelineRun, 'now'>) =>
    createPipelineRun(store, kind, { ...run, now }),
  dispatch: async () => undefined,
} as unknown as Engine;

const start = async (time: string): Promise<SchedulerService> => {
  now = at(time);
  const scheduler = new SchedulerService(engine, store, settingsWith({}), () => now, onlyProcess);
  await scheduler.start();
  return scheduler;
};
/** @returns the ids of the unfinished reevaluations, each with `all` or the first day of its window */
const active = async (): Promise<string[]> => {
  const state = await readKindState(store, 'reevaluation');
  return state.active.map((id) => {
    const window = state.windows[id];
    return `${id.split('-')[1]} ${window ? new Date(window.from).toISOString().slice(0, 10) : 'all'}`;
  });
};
const tick = async (scheduler: SchedulerService, time: string) => {
  now = at(time);
  await scheduler.tick();
  return active();
};
const close = (number: number, status: 'done' | 'failed' | 'cancelled' = 'done') =>
  closePipelineRun(
    store,
    { kind: 'reevaluation', id: `reevaluation-${number}` },
    { status, error: null, refused: [], summary: null },
    now,
  );
const request = (window: Window) =>
  createPipelineRun(store, 'reevaluation', { scheduledAt: null, window, now });
const oneDay = { from: at('2026-03-09T00:00:00Z'), to: at('2026-03-10T00:00:00Z') };

beforeEach(async () => {
  store = new MemoryStore();
  await updateWatermarks(store, () => ({ 1: 1 }));
});

describe('the daily reevaluation of all days', () => {
  it('stays due while two others are unfinished', async () => {
    const scheduler = await start('2026-03-10T11:58:00Z');
    await close(1);
    now = at('2026-03-10T23:59:00Z');
    await request(oneDay);
    await request(oneDay);
    expect(await tick(scheduler, '2026-03-11T00:00:05Z')).toEqual(['2 2026-03-09', '3 2026-03-09']);
    await close(2);
    expect(await tick(scheduler, '2026-03-11T00:00:15Z')).toEqual(['3 2026-03-09', '4 all']);
    expect((await readPipelineRun(store, 'reevaluation-4'))?.nominal).toBe(at('2026-03-11T00:00:00Z'));
    expect(await tick(scheduler, '2026-03-11T00:00:25Z')).toEqual(['3 2026-03-09', '4 all']);
  });

  it.each(['failed', 'cancelled'] as const)('is created again an hour after it %s', async (status) => {
    const scheduler = await start('2026-03-10T11:58:00Z');
    await close(1);
    expect(await tick(scheduler, '2026-03-11T00:00:05Z')).toEqual(['2 all']);
    await close(2, status);
    expect(await tick(scheduler, '2026-03-11T00:00:15Z')).toEqual([]);
    expect(await tick(scheduler, '2026-03-11T01:00:05Z')).toEqual(['3 all']);
    await close(3);
    expect(await tick(scheduler, '2026-03-11T02:00:05Z')).toEqual(['4 2026-02-09']);
  });

  it('is that of a start, until the next day', async () => {
    const scheduler = await start('2026-03-10T23:58:00Z');
    expect(await active()).toEqual(['1 all']);
    await close(1);
    expect(await tick(scheduler, '2026-03-11T00:00:05Z')).toEqual(['2 all']);
  });

  it('stays due if a start cannot create it', async () => {
    now = at('2026-03-10T11:57:00Z');
    await request(oneDay);
    await request(oneDay);
    const scheduler = await start('2026-03-10T11:58:00Z');
    expect(await active()).toHaveLength(2);
    await close(1);
    await close(2);
    expect(await tick(scheduler, '2026-03-10T12:00:05Z')).toEqual(['3 all']);
  });

  it('is created once after days without a scheduler', async () => {
    const scheduler = await start('2026-03-10T11:58:00Z');
    await close(1);
    expect(await tick(scheduler, '2026-03-14T05:00:05Z')).toEqual(['2 all']);
    await close(2);
    expect(await tick(scheduler, '2026-03-14T06:00:05Z')).toEqual(['3 2026-02-12']);
  });

  it('is created once by several schedulers', async () => {
    const first = await start('2026-03-10T11:58:00Z');
    await close(1);
    const second = await start('2026-03-10T11:58:01Z');
    await close(2);
    now = at('2026-03-11T00:00:05Z');
    await Promise.all([first.tick(), second.tick()]);
    expect(await active()).toEqual(['3 all']);
  });

  it('is due although a clock that was far ahead stored one', async () => {
    await start('2027-03-10T11:58:00Z');
    await close(1);
    const scheduler = await start('2026-03-10T11:58:00Z');
    await close(2, 'failed');
    expect(await tick(scheduler, '2026-03-10T12:00:05Z')).toEqual(['3 all']);
  });
});

describe('an hourly reevaluation', () => {
  it('is served by one that waits and covers its window', async () => {
    const scheduler = await start('2026-03-10T11:58:00Z');
    expect(await tick(scheduler, '2026-03-10T12:00:05Z')).toEqual(['1 all', '2 2026-02-08']);
    expect(await tick(scheduler, '2026-03-10T13:00:05Z')).toEqual(['1 all', '2 2026-02-08']);
    await close(1);
    expect(await tick(scheduler, '2026-03-10T13:00:15Z')).toEqual(['2 2026-02-08']);
  });
});
