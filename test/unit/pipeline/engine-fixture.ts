import type { Queue } from 'bullmq';
import { Engine, type EngineOptions } from '../../../src/pipeline/engine.js';
import type { EnrichResult, Plan, RebuildResult, Stage } from '../../../src/pipeline/stage-contracts.js';
import type { Handler } from '../../../src/pipeline/stage-execution.js';
import { SHARED_PREFIX } from '../../../src/queue/queue-connection.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf } from '../../support/stage-results.js';

/** An engine whose three queues are the same one. It stores in memory and logs nothing. */
export function createEngine(queue: Queue, options: Partial<EngineOptions> = {}): Engine {
  const ignore = () => undefined;
  return new Engine({
    store: new MemoryStore(),
    queues: { ingestion: queue, enrichment: queue, aggregation: queue },
    queuePrefix: SHARED_PREFIX,
    clock: () => 0,
    stageAttempts: 5,
    waitMs: 0,
    backfillConcurrency: 1,
    log: { debug: ignore, log: ignore, warn: ignore, error: ignore },
    errors: { report: ignore },
    ...options,
  });
}

export const enrichResultOf = (rest: Partial<EnrichResult> = {}): EnrichResult => ({
  touched_days: [],
  runs: 0,
  metrics: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  quarantined: 0,
  closed: [],
  partitions_written: 0,
  partitions_unchanged: 0,
  ...rest,
});

export const NOTHING_REBUILT: RebuildResult = { days: [], partitions_written: 0, partitions_unchanged: 0 };

/** Handlers of all stages: they plan this, fetch experiment 1, and find nothing to judge or rebuild. */
export function handlersOf(plan: Plan): { [S in Stage]: Handler<S> } {
  const nothingRebuilt = async () => NOTHING_REBUILT;
  const nothingSelected = async () => ({ units: [], partitions_unchanged: 0 });
  return {
    plan: async () => plan,
    fetch: async () => fetchResultOf({ answered: ['1'] }),
    enrich: async () => enrichResultOf(),
    aggregate: nothingRebuilt,
    'select-judge': nothingSelected,
    judge: async () => ({ partitions_written: 0, partitions_unchanged: 0 }),
    'select-forecast': nothingSelected,
    forecast: nothingRebuilt,
    'select-rebuild': nothingSelected,
    rebuild: nothingRebuilt,
    publish: nothingRebuilt,
  };
}
