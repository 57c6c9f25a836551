import { Processor } from '@nestjs/bullmq';
import { Inject, Module } from '@nestjs/common';
import { RULES_VERSION, type Settings } from '../config/settings.js';
import { SETTINGS } from '../config/tokens.js';
import { dayOf } from '../domain/time.js';
import type { Engine, HandlersOf } from '../pipeline/engine.js';
import { enterOpenRuns } from '../pipeline/open-runs.js';
import type { StageContext } from '../pipeline/stage-context.js';
import { StageWorker } from '../pipeline/stage-worker.js';
import type { EnrichResult } from '../pipeline/stages.js';
import { ENGINE, SCRATCH, SERVER_CLOCK } from '../pipeline/tokens.js';
import { WORKER_OPTIONS } from '../pipeline/worker-options.js';
import type { Duck } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { DUCK, OBJECT_STORE } from '../storage/tokens.js';
import { countChangedRuns } from './changed-runs.js';
import { type EnrichTools, enrichSlice } from './enrich-slice.js';
import { type JudgeTools, judgeDay } from './judge-day.js';
import { RulebookKeeper } from './rulebook-keeper.js';

@Processor('enrichment', WORKER_OPTIONS)
export class EnrichmentWorker extends StageWorker<'enrichment'> {
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'enrichment'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) store: ObjectStore,
    @Inject(DUCK) duck: Duck,
    @Inject(SCRATCH) scratch: (name: string) => string,
    @Inject(SERVER_CLOCK) serverNow: () => Promise<number>,
    @Inject(RulebookKeeper) keeper: RulebookKeeper,
    @Inject(SETTINGS) settings: Settings,
  ) {
    super();
    const tools: Omit<EnrichTools, 'progressed'> = {
      store,
      duck,
      scratch,
      rulesVersion: RULES_VERSION,
      serverNow,
      rulebook: (needs, observed) => keeper.bookFor(needs, observed),
      enterOpenRuns: (runs) => enterOpenRuns(store, runs),
    };
    this.concurrency = settings.ENRICHMENT_CONCURRENCY;
    this.handlers = {
      enrich: (context) =>
        context.record.kind === 'reevaluation'
          ? judgeAgain(tools, context)
          : bringIn({ ...tools, progressed: context.progressed }, context),
    };
  }
}

async function bringIn(
  tools: EnrichTools,
  { record, plan, slice, result }: StageContext,
): Promise<EnrichResult> {
  const asked = new Set(plan.open.map(({ run_id }) => run_id));
  return enrichSlice(tools, record.id, await result(slice.id, 'fetch'), asked);
}

async function judgeAgain(tools: JudgeTools, { plan, slice }: StageContext): Promise<EnrichResult> {
  const day = dayOf(slice.from);
  const counts = await judgeDay(tools, day);
  return {
    touched_days: [day],
    runs: 0,
    metrics: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    quarantined: 0,
    closed: [],
    partitions_written: counts.written,
    partitions_unchanged: counts.unchanged,
    ...(plan.changes ? { changed: await countChangedRuns(tools, day, plan.changes) } : {}),
  };
}

@Module({ providers: [EnrichmentWorker] })
export class EnrichmentModule {}
