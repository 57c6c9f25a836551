import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { SETTINGS, type Settings } from '../config/settings.js';
import { dayOf } from '../domain/time.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import type { StageContext } from '../pipeline/stage-context.js';
import type { EnrichResult } from '../pipeline/stage-contracts.js';
import type { HandlersOf } from '../pipeline/stage-execution.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { SERVER_CLOCK } from '../state/tracking-server.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { countChangedRuns } from './changed-runs.js';
import { enrichSlice } from './enrich-slice.js';
import { judgeDay } from './judge-day.js';
import { RulebookSync } from './rulebook-sync.js';

/** Processes the queue `enrichment`: merges slices into the base and judges days. */
@Processor('enrichment', WORKER_OPTIONS)
export class EnrichmentProcessor extends StageProcessor<'enrichment'> {
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'enrichment'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(DUCK) private readonly duck: Duck,
    @Inject(SERVER_CLOCK) private readonly serverNow: () => Promise<number>,
    @Inject(RulebookSync) private readonly rulebook: RulebookSync,
    @Inject(SETTINGS) settings: Settings,
  ) {
    super();
    this.concurrency = settings.ENRICHMENT_CONCURRENCY;
    this.handlers = {
      enrich: (context) =>
        context.record.kind === 'reevaluation' ? this.reevaluate(context) : this.enrich(context),
    };
  }

  private async enrich({ record, plan, slice, result, heartbeat }: StageContext): Promise<EnrichResult> {
    return enrichSlice(this.store, this.duck, this.rulebook, this.serverNow, {
      pipelineRunId: record.id,
      fetched: await result(slice.id, 'fetch'),
      plannedOpenRuns: new Set(plan.open.map(({ run_id }) => run_id)),
      heartbeat,
    });
  }

  /** Judges the stored facts of a day again. */
  private async reevaluate({ plan, slice }: StageContext): Promise<EnrichResult> {
    const day = dayOf(slice.from);
    const counts = await judgeDay(this.store, this.duck, this.rulebook, day);
    const changed = plan.changes && (await countChangedRuns(this.store, this.duck, day, plan.changes));
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
      ...(changed ? { changed } : {}),
    };
  }
}
