import { Processor } from '@nestjs/bullmq';
import { Inject, Module } from '@nestjs/common';
import { RULES_VERSION, type Settings } from '../config/settings.js';
import { SETTINGS } from '../config/tokens.js';
import type { Engine, HandlersOf } from '../pipeline/engine.js';
import { StageWorker } from '../pipeline/stage-worker.js';
import { ENGINE, SCRATCH } from '../pipeline/tokens.js';
import { WORKER_OPTIONS } from '../pipeline/worker-options.js';
import type { Duck } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { DUCK, OBJECT_STORE } from '../storage/tokens.js';
import type { RebuildTools } from './rebuild-day.js';
import { dependentDays, rebuildDays } from './reconcile.js';
import { publishThresholdChanges } from './threshold-changes.js';

@Processor('aggregation', WORKER_OPTIONS)
export class AggregationWorker extends StageWorker<'aggregation'> {
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'aggregation'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) store: ObjectStore,
    @Inject(DUCK) duck: Duck,
    @Inject(SCRATCH) scratch: (name: string) => string,
    @Inject(SETTINGS) settings: Settings,
  ) {
    super();
    const tools: RebuildTools = { store, duck, scratch, rulesVersion: RULES_VERSION };
    this.concurrency = settings.AGGREGATION_CONCURRENCY;
    this.handlers = {
      aggregate: async ({ slice, result, progressed }) =>
        rebuildDays(tools, (await result(slice.id, 'enrich')).touched_days, progressed),
      publish: async ({ plan, result, progressed }) => {
        const touched = new Set<string>();
        const changed = [];
        for (const { id } of plan.slices) {
          const enriched = await result(id, 'enrich');
          for (const day of enriched.touched_days) touched.add(day);
          changed.push(...(enriched.changed ?? []));
        }
        const rebuilt = await rebuildDays(tools, dependentDays(touched), progressed);
        if (plan.changes) await publishThresholdChanges(tools, plan.changes, changed);
        return rebuilt;
      },
    };
  }
}

@Module({ providers: [AggregationWorker] })
export class AggregationModule {}
