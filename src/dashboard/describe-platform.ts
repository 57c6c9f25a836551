import { runUrl } from '../domain/mlflow-urls.js';
import { hourOf, MS_PER_HOUR } from '../domain/time.js';
import type { ServiceFacts } from '../state/service-facts.js';
import { missingExperiments, type StatusOptions, serviceStatus } from '../state/service-status.js';
import type { PlatformCurrent, RunLink } from './contract.js';
import { describeIncidents, type MlflowRunRef, ownerOf } from './describe-incidents.js';
import { describeLikely } from './describe-likely.js';
import type { History } from './judge-rollups.js';
import type { MisdatedDays } from './load-misdated.js';
import type { PlatformFacts } from './load-platform.js';
import { describeLateChanges, runNotes, scopeNotes } from './page-notes.js';
import type { PipelineActivity } from './pipeline-activity.js';

export interface PlatformContext extends StatusOptions {
  /** URL of MLflow's pages, without a trailing slash. */
  readonly mlflowUi: string;
  /** `LOOKBACK_DAYS_HISTORICAL` */
  readonly lookbackDays: number;
}

export interface PlatformInputs {
  readonly platform: PlatformFacts;
  readonly service: ServiceFacts;
  readonly activity: PipelineActivity;
  readonly misdated: MisdatedDays;
  /** `quarantined`: records in quarantine; `endedSince`: as in `EndedRunsState`. */
  readonly kept: { readonly quarantined: number; readonly endedSince: number | null };
}

const iso = (ms: number): string => new Date(ms).toISOString();

export const runLink = (mlflowUi: string, run: MlflowRunRef): RunLink => ({
  run_id: run.run_id,
  run_name: run.run_name,
  at: iso(run.time),
  url: runUrl(mlflowUi, run),
});

/**
 * The response of `/platform/current`.
 * @param now ms
 */
export function describePlatform(
  { platform, service, activity, misdated, kept }: PlatformInputs,
  context: PlatformContext,
  now: number,
): PlatformCurrent {
  const { spans, judgement } = platform;
  const { current } = spans;
  const link = (run: MlflowRunRef) => runLink(context.mlflowUi, run);
  const verdict = ({ now: { light, reason, ...counts }, pass_rate_trend, last_known }: History) => ({
    light,
    reason,
    ...counts,
    pass_rate_trend,
    last_known: last_known && {
      light: last_known.light,
      reason: last_known.reason,
      at: iso(last_known.hour + MS_PER_HOUR),
      age_hours: Math.max(0, (hourOf(now) - last_known.hour) / MS_PER_HOUR - 1),
    },
  });
  const { total, evaluated } = judgement.platform.now;
  const tags = {
    labels: platform.labels,
    experimentTags: (id: string) => service.experiments[id]?.tags ?? {},
  };
  const lists = { current, link, ...tags };
  const needs_attention = describeIncidents(platform.incidents, lists);
  const ownerOfIncident = new Map(needs_attention.map(({ application, owner }) => [application, owner]));
  return {
    from: iso(current.from),
    to: iso(current.to),
    platform: {
      ...verdict(judgement.platform),
      days: judgement.platform.days.map(({ light, reason, total, pass_rate }) => ({
        light,
        reason,
        total,
        pass_rate,
      })),
    },
    applications: judgement.applications.map((each) => ({
      application: each.application,
      owner: ownerOfIncident.get(each.application) ?? (each.last_run && ownerOf(each.last_run, tags)),
      ...verdict(each),
      needs_attention: each.needs_attention,
      last_run: each.last_run && link(each.last_run),
      days: each.days.map(({ light, total }) => ({ light, total })),
    })),
    needs_attention,
    likely_soon: describeLikely(platform.likely, lists, now),
    days: spans.days.map(({ day }) => day),
    all_unmonitored: total > 0 && evaluated === 0,
    notes: runNotes(platform, misdated, kept.quarantined),
    scope: [
      ...scopeNotes(service.experiments, service.judging?.settings ?? current.settings),
      describeLateChanges(kept.endedSince, context.lookbackDays),
    ],
    ...describeService(service, activity, context, now),
    progress: activity.progress,
  };
}

type ServiceFields = Pick<
  PlatformCurrent,
  | 'stale'
  | 'last_finished'
  | 'last_failure'
  | 'partial'
  | 'lagging_experiments'
  | 'lagging'
  | 'catalog_outage'
  | 'catalog_refused'
>;

function describeService(
  service: ServiceFacts,
  { newest, newestDone }: PipelineActivity,
  options: StatusOptions,
  now: number,
): ServiceFields {
  const { stale, lastFinished, experiments, catalog } = serviceStatus(service, options, now);
  const lagging = missingExperiments(experiments, newestDone?.refused ?? []).map(
    ({ experiment_id, name, watermark, message }) => ({
      experiment_id,
      name,
      read_until: watermark === null ? null : iso(watermark),
      message,
    }),
  );
  return {
    stale,
    last_finished: lastFinished === null ? null : iso(lastFinished),
    last_failure:
      newest?.status === 'failed' && newest.finished_at !== null
        ? { run: newest.id, at: iso(newest.finished_at), message: newest.error?.message ?? '' }
        : null,
    partial: lagging.length > 0,
    lagging_experiments: lagging.map(({ experiment_id }) => experiment_id),
    lagging,
    catalog_outage: catalog.outage && {
      as_of: catalog.lastSuccess === null ? null : iso(catalog.lastSuccess),
      reason: catalog.outage.reason,
      waiting: catalog.outage.waiting,
    },
    catalog_refused: catalog.rejectedRows,
  };
}
