import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import type { HandlersOf } from '../pipeline/stage-execution.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { indexOf } from '../storage/object-index.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { publishThresholdChanges } from './publish-threshold-changes.js';
import { dependentDays, rebuildDays } from './rebuild-days.js';

/** Processes the queue `aggregation`: rebuilds the aggregated datasets of days. */
@Processor('aggregation', WORKER_OPTIONS)
export class AggregationProcessor extends StageProcessor<'aggregation'> {
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'aggregation'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) store: ObjectStore,
    @Inject(DUCK) duck: Duck,
    @Inject(SETTINGS) settings: Settings,
  ) {
    super();
    this.concurrency = settings.AGGREGATION_CONCURRENCY;
    this.handlers = {
      aggregate: async ({ slice, result, heartbeat }) =>
        rebuildDays(store, duck, (await result(slice.id, 'enrich')).touched_days, heartbeat),
      publish: async ({ plan, results, heartbeat }) => {
        const touched = new Set<string>();
        const changedRuns = [];
        for (const enriched of await results('enrich')) {
          for (const day of enriched.touched_days) touched.add(day);
          changedRuns.push(...(enriched.changed ?? []));
        }
        const rebuilt = await rebuildDays(store, duck, dependentDays(touched), heartbeat);
        if (plan.changes) await publishThresholdChanges(store, duck, plan.changes, changedRuns);
        await indexOf(store).save();
        return rebuilt;
      },
    };
  }
}
