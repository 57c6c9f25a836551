import { domainSettings, mlflowOptions, pageSizeOf, type Settings } from '../config/settings.js';
import type { Clock } from '../config/tokens.js';
import { mergeExperiments, readExperiments } from '../pipeline/experiments.js';
import { readOpenRuns } from '../pipeline/open-runs.js';
import type { RunRecord } from '../pipeline/run-record.js';
import type { Plan } from '../pipeline/stages.js';
import { pendingChanges } from '../pipeline/threshold-changes.js';
import { readWatermarks } from '../pipeline/watermark.js';
import { dayOfKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { MlflowClient } from './mlflow.js';
import { planRun } from './plan-run.js';
import { guardSource } from './source-guard.js';

export interface PlanTools {
  readonly store: ObjectStore;
  readonly client: MlflowClient;
  readonly clock: Clock;
  readonly settings: Settings;
}

/** Loads what a plan is made of, and makes it. */
export async function makePlan(tools: PlanTools, { kind, window }: RunRecord): Promise<Plan> {
  const { store, settings, clock } = tools;
  const scope = domainSettings(settings);
  const watermarks = await readWatermarks(store);
  const open = await readOpenRuns(store);
  const storedDays: string[] = [];
  for await (const { key } of store.list('_base/')) {
    const day = dayOfKey(key);
    if (day) storedDays.push(day);
  }
  let now = clock();
  let experiments = await readExperiments(store);
  const changes = kind === 'reevaluation' ? await pendingChanges(store, window) : undefined;
  if (kind !== 'reevaluation') {
    const listing = await tools.client.listExperiments();
    await guardSource(store, listing.experiments, mlflowOptions(settings).uri, settings.ALLOW_SOURCE_CHANGE);
    experiments = await mergeExperiments(store, listing.experiments, listing.date);
    now = Math.min(now, listing.date);
  }
  return planRun({
    kind,
    window,
    now,
    experiments,
    watermarks,
    open,
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
