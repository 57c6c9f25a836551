import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { concurrently } from '../config/concurrently.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { dayOf, daysOf } from '../domain/time.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { forcedBy } from '../pipeline/forced-objects.js';
import { isEarlyInBootstrap } from '../pipeline/slice-progress.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import type { StageContext } from '../pipeline/stage-context.js';
import {
  ALL_SLICES,
  type ChangedRuns,
  type RebuildResult,
  type SelectResult,
} from '../pipeline/stage-contracts.js';
import type { HandlersOf } from '../pipeline/stage-execution.js';
import { type Unit, unitId, unitOf } from '../pipeline/units.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { Processes } from '../state/processes.js';
import { isOlderProcess } from '../state/versions.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { indexOf } from '../storage/object-index.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { FitThreads } from './fit-threads.js';
import { forecastDays, selectDaysToForecast } from './forecast-days.js';
import { publishThresholdChanges } from './publish-threshold-changes.js';
import { AGGREGATED, SUMMARIES } from './rebuild-day.js';
import { dependentDays, rebuildDays, selectDaysToRebuild } from './rebuild-days.js';

const NOTHING_REBUILT: RebuildResult = { days: [], partitions_written: 0, partitions_unchanged: 0 };

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
    @Inject(FitThreads) { fitAll }: FitThreads,
  ) {
    super();
    this.concurrency = settings.AGGREGATION_CONCURRENCY;
    // An older process than the store leaves the days to a newer one.
    const unlessOlder = <T>({ record }: StageContext, work: Promise<T>, nothing: T) =>
      work.catch(async (error: unknown) => {
        if (record.kind === 'reevaluation' || !isOlderProcess(error)) return processes.handleOlder(error);
        await processes.leaveToNewer();
        return { ...nothing, left_to_newer: true };
      });
    const { supported } = processes;
    const rebuild = (
      context: StageContext,
      units: readonly Unit[],
      datasets: Parameters<typeof rebuildDays>[5] = AGGREGATED,
    ): Promise<RebuildResult> =>
      unlessOlder(
        context,
        rebuildDays(store, duck, units, context.heartbeat, supported, datasets, forcedBy(context.record)),
        NOTHING_REBUILT,
      );
    const select = (
      context: StageContext,
      selectDays: typeof selectDaysToRebuild,
      days: readonly string[],
    ): Promise<SelectResult> =>
      unlessOlder(
        context,
        selectDays(store, duck, days, context.heartbeat, supported, forcedBy(context.record)),
        {
          units: [],
          partitions_unchanged: 0,
        },
      );
    const forecast = (context: StageContext, days: readonly string[]): Promise<RebuildResult> =>
      unlessOlder(
        context,
        forecastDays(store, duck, days, context.heartbeat, supported, fitAll, forcedBy(context.record)),
        NOTHING_REBUILT,
      );
    this.handlers = {
      aggregate: async (context) => {
        const days = (await context.result(context.slice.id, 'enrich')).touched_days;
        const { record, plan, slice } = context;
        // Otherwise the newest days come first: their forecasts would be computed again with each day before them. So
        // `metric_timeseries` is left to the end, but for the days that people look at first.
        const isComplete =
          record.kind === 'historical' ||
          (record.kind === 'bootstrap' && isEarlyInBootstrap(plan, slice.from));
        return rebuild(context, wholeDays(days), isComplete ? AGGREGATED : SUMMARIES);
      },
      'select-forecast': async (context) =>
        select(context, selectDaysToForecast, dependentDays(await touchedDays(context)).reverse()),
      forecast: async (context) =>
        forecast(context, context.isUnit ? [context.unit.day] : await touchedUntil(context)),
      'select-rebuild': async (context) => {
        const selected = await select(
          context,
          selectDaysToRebuild,
          dependentDays(await touchedDays(context)),
        );
        // Otherwise `rebuild` saves it.
        if (selected.units.length === 0) await indexOf(store).save();
        return selected;
      },
      rebuild: async (context) => {
        const rebuilt = await rebuild(context, [context.unit]);
        await indexOf(store).save();
        return rebuilt;
      },
      publish: async (context) => {
        const rebuilt = await rebuild(context, await unitsLeft(context));
        const { changes } = context.plan;
        if (changes) await publishThresholdChanges(store, duck, changes, await changedRuns(context));
        await indexOf(store).save();
        return rebuilt;
      },
    };
  }
}

/** The days whose judged objects the pipeline run may have changed. */
async function touchedDays({ record, plan, results }: StageContext): Promise<string[]> {
  if (record.kind === 'reevaluation') return plan.slices.flatMap(daysOf);
  return (await results('enrich')).flatMap(({ touched_days }) => touched_days);
}

/**
 * The days up to that of the slice that any slice of this day has touched, oldest first. Later ones are forecast in their turn or,
 * if the pipeline run has no such day, at its end.
 */
async function touchedUntil({ plan, slice, result }: StageContext): Promise<string[]> {
  const own = plan.slices.filter(({ from }) => dayOf(from) === dayOf(slice.from));
  const enriched = await concurrently(own, ({ id }) => result(id, 'enrich'));
  const days = new Set(enriched.flatMap(({ touched_days }) => touched_days));
  return [...days].filter((day) => day <= dayOf(slice.from)).sort();
}

const wholeDays = (days: readonly string[]): Unit[] => days.map((day) => ({ day }));

/** What is to be rebuilt and is not: nothing, unless an older version enqueued `publish`, directly after the slices. */
async function unitsLeft(context: StageContext): Promise<Unit[]> {
  const selected = (await context.stored('select-rebuild')).get(ALL_SLICES);
  if (!selected) return wholeDays(dependentDays(await touchedDays(context)));
  const rebuilt = await context.stored('rebuild');
  return selected.units.filter((unit) => !rebuilt.has(unitId(unit)));
}

/**
 * The changed runs of each day. A day may have been counted twice: older versions count whole days, in `enrich` or
 * `judge`, also those of which this version counts the parts.
 */
export async function changedRuns({
  plan,
  stored,
}: Pick<StageContext, 'plan' | 'stored'>): Promise<ChangedRuns> {
  const ofDays = new Map<string, ChangedRuns>();
  const enriched = await stored('enrich');
  for (const { id, from } of plan.slices) {
    const changed = enriched.get(id)?.changed;
    if (changed) ofDays.set(dayOf(from), changed);
  }
  const ofParts: (readonly [day: string, changed: ChangedRuns])[] = [];
  for (const [id, { changed = [] }] of await stored('judge')) {
    const unit = unitOf(id);
    if (unit?.part === undefined) ofDays.set(unit?.day ?? id, changed);
    else ofParts.push([unit.day, changed]);
  }
  return [
    ...ofDays.values(),
    ...ofParts.filter(([day]) => !ofDays.has(day)).map(([, changed]) => changed),
  ].flat();
}
