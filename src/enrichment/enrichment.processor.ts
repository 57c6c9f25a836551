import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { RULES_VERSION, SETTINGS, type Settings } from '../config/settings.js';
import { dayOf } from '../domain/time.js';
import { ENGINE, type Engine, type HandlersOf } from '../pipeline/engine.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import type { StageContext } from '../pipeline/stage-context.js';
import type { EnrichResult } from '../pipeline/stage-contracts.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { addOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { SERVER_CLOCK } from '../state/tracking-server.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { countChangedRuns } from './changed-runs.js';
import { type EnrichTools, enrichSlice } from './enrich-slice.js';
import { type JudgeTools, judgeDay } from './judge-day.js';
import { RulebookSync } from './rulebook-sync.js';

/** Runs the jobs of the queue `enrichment`: merges slices into the base and judges days. */
@Processor('enrichment', WORKER_OPTIONS)
export class EnrichmentProcessor extends StageProcessor<'enrichment'> {
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'enrichment'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) store: ObjectStore,
    @Inject(DUCK) duck: Duck,
    @Inject(SERVER_CLOCK) serverNow: () => Promise<number>,
    @Inject(RulebookSync) keeper: RulebookSync,
    @Inject(SETTINGS) settings: Settings,
  ) {
    super();
    const tools: Omit<EnrichTools, 'heartbeat'> = {
      store,
      duck,
      rulesVersion: RULES_VERSION,
      serverNow,
      rulebook: (needs, observed) => keeper.rulebookFor(needs, observed),
      addOpenMlflowRuns: (runs) => addOpenMlflowRuns(store, runs),
    };
    this.concurrency = settings.ENRICHMENT_CONCURRENCY;
    this.handlers = {
      enrich: (context) =>
        context.record.kind === 'reevaluation'
          ? judgeAgain(tools, context)
          : bringIn({ ...tools, heartbeat: context.heartbeat }, context),
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
