import { type Clock } from '../config/runtime.js';
import { mlflowOptions, pageSizeOf, type Settings } from '../config/settings.js';
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
import { unpublishedChanges } from '../state/threshold-changes.js';
import { assertTrackingServer } from '../state/tracking-server.js';
import { readWatermarks } from '../state/watermarks.js';
import { dayOfKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { MlflowClient } from './mlflow-api.js';
import { addRecentDays, loadDirtyDays, NOTHING_DIRTY } from './plan-dirty-days.js';
import { planPipelineRun } from './plan-pipeline-run.js';

export interface PlanDependencies {
  readonly store: ObjectStore;
  readonly client: MlflowClient;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly judging: Pick<JudgingSettings, 'current'>;
}

/**
 * Loads the inputs of a plan and creates it.
 * @throws {MonitorError} `other_source` if the store belongs to another tracking server
 */
export async function createPlan(
  { store, client, settings, clock, judging }: PlanDependencies,
  { kind, window }: PipelineRun,
): Promise<Plan> {
  const scope = await judging.current();
  // A reevaluation does not depend on the documents about MLflow, so that an invalid one does not stop it.
  const readsMlflow = kind !== 'reevaluation';
  const watermarks = readsMlflow ? await readWatermarks(store) : {};
  const openMlflowRuns = readsMlflow ? await readOpenMlflowRuns(store) : [];
  const storedDays: string[] = [];
  for await (const { key } of store.list('_base/')) {
    const day = dayOfKey(key);
    if (day) storedDays.push(day);
  }
  let now = clock();
  let dirty = readsMlflow ? await loadDirtyDays(store, now) : NOTHING_DIRTY;
  let experiments: Record<string, StoredExperiment> = {};
  const changes = readsMlflow ? undefined : await unpublishedChanges(store, window);
  if (readsMlflow) {
    const before = await readExperiments(store);
    const listing = await client.listExperiments();
    await assertTrackingServer(
      store,
      listing.experiments,
      mlflowOptions(settings).uri,
      settings.ALLOW_SOURCE_CHANGE,
    );
    experiments = await mergeExperiments(store, listing.experiments, listing.date);
    now = Math.min(now, listing.date);
    if (haveFactsChanged(before, experiments)) dirty = addRecentDays(dirty, storedDays, now);
  }
  return planPipelineRun({
    kind,
    window,
    now,
    experiments,
    watermarks,
    openMlflowRuns,
    neverEndedTimes: readsMlflow ? await readNeverEndedTimes(store) : {},
    dirty,
    storedDays,
    changes,
    settings: {
      lookbackHoursDelta: settings.LOOKBACK_HOURS_DELTA,
      lookbackHoursBackup: settings.LOOKBACK_HOURS_BACKUP,
      lookbackDaysHistorical: settings.LOOKBACK_DAYS_HISTORICAL,
      experimentInclude: scope.experiment_include,
      experimentExclude: scope.experiment_exclude,
      pageSize: pageSizeOf(kind, settings),
    },
  });
}
