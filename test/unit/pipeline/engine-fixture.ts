import type { Queue } from 'bullmq';
import { Engine, type EngineOptions } from '../../../src/pipeline/engine.js';
import type { EnrichResult, RebuildResult } from '../../../src/pipeline/stage-contracts.js';
import { SHARED_PREFIX } from '../../../src/queue/queue-connection.js';
import { MemoryStore } from '../../support/memory-store.js';

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
