import { Logger } from '@nestjs/common';
import type { PipelineKind } from '../../../src/domain/model.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import {
  closePipelineRun,
  createPipelineRun,
  type NewPipelineRun,
  readPipelineRun,
} from '../../../src/pipeline/pipeline-run.js';
import { SchedulerService } from '../../../src/pipeline/scheduler.service.js';
import { readKindState } from '../../../src/state/kind-state.js';
import { markRewritten, withVersions } from '../../../src/state/raise-versions.js';
import { RULEBOOK_KEY, readRulebook, updateRulebook } from '../../../src/state/rulebook.js';
import { FIRST_VERSIONS, type Versions, versionsInForce } from '../../../src/state/versions.js';
import { updateWatermarks } from '../../../src/state/watermarks.js';
import { domainDefaults, settingsWith } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

Logger.overrideLogger(false);
const RAISED = { rules: 1, schema: 2 };
let store: MemoryStore;
let now: number;
/** What all present processes support. */
let common: Versions;

const engine = {
  create: (kind: PipelineKind, run: Omit<NewPipelineRun, 'now'>) =>
    createPipelineRun(store, kind, { ...run, now }),
  dispatch: async () => undefined,
} as unknown as Engine;

const book = updateRulebook(undefined, { metadata: [], thresholds: [] }, domainDefaults, { at: 0, from: '' });
const put = (versions: Versions) =>
  store.objects.set(RULEBOOK_KEY, Buffer.from(JSON.stringify(withVersions(book, versions, 0))));

async function start(supported: Versions): Promise<SchedulerService> {
  const processes = { supported, common: async () => common };
  const scheduler = new SchedulerService(engine, store, settingsWith({}), () => now, processes);
  await scheduler.start();
  return scheduler;
}
async function tick(scheduler: SchedulerService, time: string): Promise<void> {
  now = Date.parse(time);
  await scheduler.tick();
}
/** The ids of the unfinished reevaluations of all days. */
async function fullPasses(): Promise<string[]> {
  const { active, windows } = await readKindState(store, 'reevaluation');
  return active.filter((id) => windows[id] === undefined);
}
const close = (id: string, status: 'done' | 'failed' = 'done') =>
  closePipelineRun(
    store,
    { kind: 'reevaluation', id },
    { status, error: null, refused: [], summary: null },
    now,
  );

beforeEach(async () => {
  store = new MemoryStore();
  now = Date.parse('2026-03-10T11:58:00Z');
  common = FIRST_VERSIONS;
  put(FIRST_VERSIONS);
  await updateWatermarks(store, () => ({ 1: 1 }));
});

describe('a scheduler that supports newer versions than those in force', () => {
  it('raises them when no older process is left, and judges all days again until they are rewritten', async () => {
    const scheduler = await start(RAISED);
    await close('reevaluation-1');
    await tick(scheduler, '2026-03-10T12:10:00Z');
    await close('reevaluation-2');
    expect(versionsInForce(await readRulebook(store))).toEqual(FIRST_VERSIONS);
    common = RAISED;
    await tick(scheduler, '2026-03-10T12:30:00Z');
    expect(versionsInForce(await readRulebook(store))).toMatchObject(RAISED);
    expect(await fullPasses()).toEqual(['reevaluation-3']);
    // As of a schedule, not on request: all other work goes before it.
    expect((await readPipelineRun(store, 'reevaluation-3'))?.nominal).toBe(now);
    // One that fails is created again at the next hour, although one of this day has succeeded.
    await close('reevaluation-3', 'failed');
    await tick(scheduler, '2026-03-10T13:00:05Z');
    expect(await fullPasses()).toEqual(['reevaluation-4']);
    await markRewritten(store, RAISED);
    await close('reevaluation-4');
    await tick(scheduler, '2026-03-10T14:00:05Z');
    expect(await fullPasses()).toEqual([]);
  });

  it('raises them at its start, before it creates the reevaluation of all days', async () => {
    common = RAISED;
    await start(RAISED);
    expect(versionsInForce(await readRulebook(store))).toMatchObject(RAISED);
    expect(await fullPasses()).toEqual(['reevaluation-1']);
  });
});

it('a scheduler that is older than the store creates no reevaluations', async () => {
  put(RAISED);
  const scheduler = await start(FIRST_VERSIONS);
  await tick(scheduler, '2026-03-11T00:00:05Z');
  expect((await readKindState(store, 'reevaluation')).active).toEqual([]);
  expect((await readKindState(store, 'delta')).active).not.toEqual([]);
});
