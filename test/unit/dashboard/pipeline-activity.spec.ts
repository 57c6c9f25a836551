import { endedBetween, loadPipelineActivity } from '../../../src/dashboard/pipeline-activity.js';
import { PIPELINE_KINDS, type PipelineKind } from '../../../src/domain/model.js';
import {
  closePipelineRun,
  createPipelineRun,
  type PipelineRunOutcome,
} from '../../../src/pipeline/pipeline-run.js';
import type { KindState } from '../../../src/state/kind-state.js';
import { loadServiceFacts, type ServiceFacts } from '../../../src/state/service-facts.js';
import { MemoryStore } from '../../support/memory-store.js';

const MINUTE = 60_000;

describe('loadPipelineActivity', () => {
  let store: MemoryStore;
  beforeEach(() => {
    store = new MemoryStore();
  });
  const run = async (kind: PipelineKind, end: number | null, outcome: Partial<PipelineRunOutcome> = {}) => {
    const id = await createPipelineRun(store, kind, { scheduledAt: null, now: 0 });
    if (!id) throw new Error('no pipeline run');
    if (end === null) return;
    const whole: PipelineRunOutcome = {
      status: 'done',
      error: null,
      refused: [],
      summary: null,
      ...outcome,
    };
    await closePipelineRun(store, { id, kind }, whole, end);
  };
  const load = async () => loadPipelineActivity(store, (await loadServiceFacts(store)).kinds);

  it('finds the newest delta or bootstrap that ended, and the newest that succeeded', async () => {
    await run('delta', 1 * MINUTE);
    await run('bootstrap', 2 * MINUTE);
    await run('delta', 3 * MINUTE, { status: 'failed' });
    await run('reevaluation', 4 * MINUTE);
    await run('delta', null);
    const { newest, newestDone } = await load();
    expect([newest?.id, newestDone?.id]).toEqual(['delta-2', 'bootstrap-1']);
  });

  it('shows the progress of bootstraps and backfills, also before they are planned', async () => {
    await run('backfill', null);
    await run('delta', null);
    expect(await load()).toEqual({
      newest: null,
      newestDone: null,
      progress: [{ run: 'backfill-1', kind: 'backfill', days_done: 0, days_all: null }],
    });
  });
});

describe('endedBetween', () => {
  const kindsOf = (kinds: Partial<Record<PipelineKind, readonly [sequence: number, active: string[]]>>) =>
    Object.fromEntries(
      PIPELINE_KINDS.map((kind): [PipelineKind, Pick<KindState, 'sequence' | 'active'>] => {
        const [sequence, active] = kinds[kind] ?? [0, []];
        return [kind, { sequence, active: [...active] }];
      }),
    ) as unknown as ServiceFacts['kinds'];

  it('finds pipeline runs that were active before, and those created and ended in between', () => {
    const before = kindsOf({ delta: [4, ['delta-4']], backfill: [1, ['backfill-1']] });
    const after = kindsOf({ delta: [6, ['delta-6']], backfill: [1, ['backfill-1']], backup: [1, []] });
    expect(endedBetween(before, after)).toEqual(['delta-4', 'delta-5', 'backup-1']);
    expect(endedBetween(after, after)).toEqual([]);
  });
});
