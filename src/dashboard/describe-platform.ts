import type { DomainSettings } from '../domain/model.js';
import { hourOf, MS_PER_HOUR } from '../domain/time.js';
import type { PlatformCurrent, RunLink } from './contract.js';
import { describeIncidents, type MlflowRunRef } from './describe-incidents.js';
import type { History } from './judge-rollups.js';
import type { PlatformFacts } from './load-platform.js';
import { catalogOutage, laggingExperiments, type ServiceState } from './service-state.js';

export interface PlatformContext {
  readonly scope: Pick<DomainSettings, 'experiment_include' | 'experiment_exclude'>;
  readonly deltaPeriodMs: number;
  /** Address of MLflow's pages, without a slash at its end. */
  readonly mlflowUi: string;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** How the platform and its applications stand at `now` (ms). */
export function describePlatform(
  facts: PlatformFacts,
  state: ServiceState,
  surroundings: PlatformContext,
  now: number,
): PlatformCurrent {
  const { spans, judgement } = facts;
  const { current } = spans;
  const { scope, deltaPeriodMs, mlflowUi } = surroundings;
  const link = (run: MlflowRunRef): RunLink => ({
    run_id: run.run_id,
    run_name: run.run_name,
    at: iso(run.time),
    url: `${mlflowUi}/#/experiments/${encodeURIComponent(run.experiment_id)}/runs/${encodeURIComponent(run.run_id)}`,
  });
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
  const finished = lastRead(state);
  const lagging = laggingExperiments(state, {
    include: scope.experiment_include,
    exclude: scope.experiment_exclude,
  });
  const { newest } = state;
  const { total, evaluated } = judgement.platform.now;
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
      ...verdict(each),
      needs_attention: each.needs_attention,
      last_run: each.last_run && link(each.last_run),
      days: each.days.map(({ light, total }) => ({ light, total })),
    })),
    needs_attention: describeIncidents(facts.cases, {
      current,
      labels: facts.labels,
      experimentTags: (id) => state.experiments[id]?.tags ?? {},
      link,
    }),
    days: spans.days.map(({ day }) => day),
    all_unmonitored: total > 0 && evaluated === 0,
    stale: finished === null || now - finished > 3 * deltaPeriodMs,
    last_finished: finished === null ? null : iso(finished),
    last_failure:
      newest?.status === 'failed' && newest.finished_at !== null
        ? { run: newest.id, at: iso(newest.finished_at), message: newest.error?.message ?? '' }
        : null,
    partial: lagging.length > 0,
    lagging_experiments: lagging.map(({ experiment_id }) => experiment_id),
    lagging,
    catalog_outage: catalogOutage(state.catalog),
    catalog_refused: state.catalog.refused,
    progress: state.progress,
  };
}

/** When the data was as MLflow had it, ms: a bootstrap reads what a delta would have read. */
function lastRead({ kinds }: ServiceState): number | null {
  const times = [kinds.delta.last_finished, kinds.bootstrap.last_finished].filter((time) => time !== null);
  return times.length === 0 ? null : Math.max(...times);
}
