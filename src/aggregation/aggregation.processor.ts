import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import type { StageContext } from '../pipeline/stage-context.js';
import type { RebuildResult } from '../pipeline/stage-contracts.js';
import type { HandlersOf } from '../pipeline/stage-execution.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { Processes } from '../state/processes.js';
import { isOlderProcess } from '../state/versions.js';
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
    @Inject(Processes) processes: Processes,
    @Inject(SETTINGS) settings: Settings,
  ) {
    super();
    this.concurrency = settings.AGGREGATION_CONCURRENCY;
    const rebuild = ({ record, heartbeat }: StageContext, days: readonly string[]): Promise<RebuildResult> =>
      rebuildDays(store, duck, days, heartbeat, processes.supported).catch(async (error) => {
        if (record.kind === 'reevaluation' || !isOlderProcess(error)) return processes.handleOlder(error);
        await processes.leaveToNewer();
        return { days: [], partitions_written: 0, partitions_unchanged: 0, left_to_newer: true };
      });
    this.handlers = {
      aggregate: async (context) =>
        rebuild(context, (await context.result(context.slice.id, 'enrich')).touched_days),
      publish: async (context) => {
        const { plan, results } = context;
        const touched = new Set<string>();
        const changedRuns = [];
        for (const enriched of await results('enrich')) {
          for (const day of enriched.touched_days) touched.add(day);
          changedRuns.push(...(enriched.changed ?? []));
        }
        const rebuilt = await rebuild(context, dependentDays(touched));
        if (plan.changes) await publishThresholdChanges(store, duck, plan.changes, changedRuns);
        await indexOf(store).save();
        return rebuilt;
      },
    };
  }
}
