import { Processor } from '@nestjs/bullmq';
import { Inject, Logger } from '@nestjs/common';
import { SETTINGS, type Settings } from '../config/settings.js';
import { imbalanceOf } from '../domain/ledger.js';
import type { Window } from '../domain/model.js';
import { dayOf, daysOf, MS_PER_HOUR } from '../domain/time.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { forcedBy } from '../pipeline/forced-objects.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import type { StageContext } from '../pipeline/stage-context.js';
import type { EnrichResult, JudgeResult, SelectResult } from '../pipeline/stage-contracts.js';
import type { HandlersOf } from '../pipeline/stage-execution.js';
import type { Unit } from '../pipeline/units.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { mergeDirtyDays, NO_DIRTY_DAYS } from '../state/dirty-days.js';
import { Processes } from '../state/processes.js';
import { SERVER_CLOCK } from '../state/tracking-server.js';
import { readWatermarks } from '../state/watermarks.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { countChangedRuns } from './changed-runs.js';
import { enrichSlice } from './enrich-slice.js';
import { judgeDays, selectDaysToJudge } from './judge-days.js';
import { RulebookSync } from './rulebook-sync.js';

/** Pipeline runs that read again what deltas have read. */
const SWEEPS: ReadonlySet<string> = new Set(['historical', 'backup']);

/** Processes the queue `enrichment`: merges slices into the base and judges days. */
@Processor('enrichment', WORKER_OPTIONS)
export class EnrichmentProcessor extends StageProcessor<'enrichment'> {
  private readonly log = new Logger('Ledger');
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'enrichment'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(DUCK) private readonly duck: Duck,
    @Inject(SERVER_CLOCK) private readonly serverNow: () => Promise<number>,
    @Inject(RulebookSync) private readonly rulebook: RulebookSync,
    @Inject(Processes) private readonly processes: Processes,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    super();
    this.concurrency = settings.ENRICHMENT_CONCURRENCY;
    this.handlers = {
      enrich: (context) =>
        context.record.kind === 'reevaluation' ? this.judgeSlice(context) : this.enrich(context),
      'select-judge': (context) => this.select(context),
      judge: (context) => this.judge(context, [context.unit]),
    };
  }

  private async enrich({ record, plan, slice, result, heartbeat }: StageContext): Promise<EnrichResult> {
    const isFirst = plan.slices[0]?.id === slice.id;
    // A backfill repairs its days; a sweep follows a change of an experiment, which the base does not have.
    const publishes = record.kind === 'backfill' || plan.chunks[slice.chunk]?.sweep;
    const enriched = await enrichSlice(this.store, this.duck, this.rulebook, this.serverNow, {
      pipelineRunId: record.id,
      sliceId: slice.id,
      dirty: mergeDirtyDays(isFirst ? plan.dirty : NO_DIRTY_DAYS, {
        days: publishes ? [dayOf(slice.from)] : [],
        quarantine_days: [],
      }),
      fetched: await result(slice.id, 'fetch'),
      plannedOpenRuns: new Set(plan.open.map(({ run_id }) => run_id)),
      readUntil: SWEEPS.has(record.kind) ? () => this.readByDeltas() : undefined,
      heartbeat,
    });
    for (const entry of enriched.ledger ?? []) {
      if (imbalanceOf(entry) === 0) continue;
      const message = `${record.id}.${slice.id} does not account for all records: ${JSON.stringify(entry)}`;
      this.log.error(message);
    }
    if (enriched.left_to_newer) await this.processes.leaveToNewer();
    return enriched;
  }

  /** Until when deltas have read each experiment, even if MLflow stored a change late: ms. */
  private async readByDeltas(): Promise<ReadonlyMap<string, number>> {
    const lookback = this.settings.LOOKBACK_HOURS_DELTA * MS_PER_HOUR;
    const watermarks = await readWatermarks(this.store);
    return new Map(Object.entries(watermarks).map(([id, watermark]) => [id, watermark - lookback]));
  }

  private select({ record, plan, heartbeat }: StageContext): Promise<SelectResult> {
    const days = plan.slices.flatMap(daysNewestFirst);
    // Changes are counted on each day: a delta may have judged it by the new thresholds already.
    const all = plan.changes !== undefined;
    return selectDaysToJudge(
      this.store,
      this.duck,
      this.rulebook,
      days,
      all,
      heartbeat,
      forcedBy(record),
    ).catch((error) => this.processes.handleOlder(error));
  }

  private async judge(
    { record, plan, heartbeat }: StageContext,
    units: readonly Unit[],
  ): Promise<JudgeResult> {
    const { store, duck } = this;
    const forced = forcedBy(record);
    const judged = await judgeDays(store, duck, this.rulebook, units, heartbeat, undefined, forced).catch(
      (error) => this.processes.handleOlder(error),
    );
    const [unit] = units;
    const changed = plan.changes && unit && (await countChangedRuns(store, duck, unit, plan.changes));
    return {
      partitions_written: judged.written,
      partitions_unchanged: judged.unchanged,
      ...(changed ? { changed } : {}),
    };
  }

  /** Judges the days of a slice of a reevaluation: older versions do so in this stage, and may have enqueued it. */
  private async judgeSlice(context: StageContext): Promise<EnrichResult> {
    const days = daysNewestFirst(context.slice);
    return {
      touched_days: days,
      runs: 0,
      metrics: 0,
      inserted: 0,
      updated: 0,
      unchanged: 0,
      superseded: 0,
      quarantined: 0,
      closed: [],
      ...(await this.judge(
        context,
        days.map((day) => ({ day })),
      )),
    };
  }
}

const daysNewestFirst = (window: Window): string[] => daysOf(window).reverse();
