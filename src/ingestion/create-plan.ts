import { inSlices } from '../config/event-loop.js';
import { type Clock } from '../config/runtime.js';
import { mlflowOptions, pageSizeOf, type Settings } from '../config/settings.js';
import { MS_PER_DAY } from '../domain/time.js';
import type { PipelineRun } from '../pipeline/pipeline-run.js';
import type { Plan } from '../pipeline/stage-contracts.js';
import {
  haveFactsChanged,
  mergeExperiments,
  readExperiments,
  type StoredExperiment,
} from '../state/experiments.js';
import type { JudgingSettings } from '../state/judging-settings.js';
import { readNeverEndedTimes } from '../state/never-ended-runs.js';
import { readOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { readRulebook } from '../state/rulebook.js';
import { unpublishedChanges } from '../state/threshold-changes.js';
import { assertTrackingServer } from '../state/tracking-server.js';
import { isRewritten, versionsInForce } from '../state/versions.js';
import { limitWatermarks, readWatermarks, type Watermarks } from '../state/watermarks.js';
import type { Duck } from '../storage/duck.js';
import { dayOfKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { planLastEnded } from './last-ended-runs.js';
import type { MlflowClient } from './mlflow-api.js';
import { addRecentDays, loadDirtyDays, NOTHING_DIRTY } from './plan-dirty-days.js';
import { planPipelineRun } from './plan-pipeline-run.js';

export interface PlanDependencies {
  readonly store: ObjectStore;
  readonly duck: Duck;
  readonly client: MlflowClient;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly judging: Pick<JudgingSettings, 'current'>;
}

/**
 * A list of more experiments takes several requests, so slices do not list them again. Up to here they do: an experiment that
 * this account could not read for a moment keeps its watermark.
 */
const MANY_EXPERIMENTS = 1_000;

/**
 * Loads the inputs of a plan and creates it.
 * @throws {MonitorError} `other_source` if the store belongs to another tracking server
 */
export async function createPlan(
  { store, duck, client, settings, clock, judging }: PlanDependencies,
  { kind, window }: PipelineRun,
): Promise<Plan> {
  const scope = await judging.current();
  // A reevaluation does not depend on the documents about MLflow, so that an invalid one does not stop it.
  const readsMlflow = kind !== 'reevaluation';
  let watermarks: Watermarks = readsMlflow ? await readWatermarks(store) : {};
  const openMlflowRuns = readsMlflow ? await readOpenMlflowRuns(store) : [];
  // A day may have several objects.
  const distinctDays = new Set<string>();
  const bases: ObjectEntry[] = [];
  for await (const entry of store.list('_base/')) {
    const day = dayOfKey(entry.key);
    if (!day) continue;
    distinctDays.add(day);
    bases.push(entry);
  }
  const storedDays = [...distinctDays];
  let now = clock();
  let dirty = readsMlflow ? await loadDirtyDays(store, now) : NOTHING_DIRTY;
  let experiments: Record<string, StoredExperiment> = {};
  let listsOnce = true;
  // A rebuild judges nothing again, so it cannot say how many runs a changed threshold concerns.
  const changes = readsMlflow || window?.datasets ? undefined : await unpublishedChanges(store, window);
  const book = readsMlflow || window ? undefined : await readRulebook(store);
  if (readsMlflow) {
    const before = await readExperiments(store);
    const listing = await client.listExperiments();
    await assertTrackingServer(
      store,
      listing.experiments,
      mlflowOptions(settings).source,
      settings.ALLOW_SOURCE_CHANGE,
    );
    experiments = await mergeExperiments(store, listing.experiments, listing.date);
    listsOnce = listing.experiments.length > MANY_EXPERIMENTS;
    if (listsOnce) {
      const limits = watermarkLimits(experiments, watermarks, settings.LOOKBACK_DAYS_HISTORICAL);
      if (Object.keys(limits).length > 0) watermarks = await limitWatermarks(store, limits);
    }
    now = Math.min(now, listing.date);
    if (await inSlices(haveFactsChanged(before, experiments))) dirty = addRecentDays(dirty, storedDays, now);
  }
  const plan = planPipelineRun({
    kind,
    window,
    now,
    experiments,
    listsOnce,
    watermarks,
    openMlflowRuns,
    neverEndedTimes: readsMlflow ? await readNeverEndedTimes(store) : {},
    dirty,
    storedDays,
    changes,
    versions: isRewritten(book) ? undefined : versionsInForce(book),
    settings: {
      lookbackHoursDelta: settings.LOOKBACK_HOURS_DELTA,
      lookbackHoursBackup: settings.LOOKBACK_HOURS_BACKUP,
      lookbackDaysHistorical: settings.LOOKBACK_DAYS_HISTORICAL,
      experimentInclude: scope.experiment_include,
      experimentExclude: scope.experiment_exclude,
      pageSize: pageSizeOf(kind, settings),
    },
  });
  const ended = await planLastEnded(store, duck, kind, plan, bases);
  return ended ? { ...plan, ended } : plan;
}

/**
 * Slices use the list of experiments in their plan: the last pipeline run may have searched an experiment when it could not be
 * read any more, found nothing and advanced its watermark. If the experiment is listed again, the days before are read again.
 * @returns the latest watermarks of experiments that are not listed any more, ms, by id; only those that are exceeded
 */
export function watermarkLimits(
  experiments: Readonly<Record<string, StoredExperiment>>,
  watermarks: Watermarks,
  lookbackDays: number,
): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const [id, { listed, observed_at }] of Object.entries(experiments)) {
    const limit = observed_at - lookbackDays * MS_PER_DAY;
    if (!listed && (watermarks[id] ?? limit) > limit) limits[id] = limit;
  }
  return limits;
}
