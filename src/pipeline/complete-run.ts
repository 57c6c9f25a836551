import { removeDirtyDays, removeDirtyDaysOf } from '../state/dirty-days.js';
import { markSwept } from '../state/experiments.js';
import { markNeverEndedFetched } from '../state/never-ended-runs.js';
import { removeOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { markChangesPublished } from '../state/threshold-changes.js';
import type { ObjectStore } from '../storage/object-store.js';
import { advanceWatermarks, completelyFetched } from './advance-watermarks.js';
import { stageName } from './due-stages.js';
import type { Markers } from './markers.js';
import type { PipelineRun, PipelineRunSummary } from './pipeline-run.js';
import { ALL_SLICES, type FetchResult, type Plan } from './stage-contracts.js';

/**
 * Everything that must wait until a pipeline run is published: advances watermarks, and records which threshold changes
 * are published, which MLflow runs are no longer open, which experiments are swept, and that no day of it is dirty any more.
 * Idempotent.
 * @returns the experiments that could not be read
 */
export async function completePipelineRun(
  store: ObjectStore,
  { kind, id: pipelineRunId }: Pick<PipelineRun, 'kind' | 'id'>,
  plan: Plan,
  markers: Markers,
): Promise<FetchResult['refused']> {
  if (plan.changes) await markChangesPublished(store, plan.changes);
  if (kind === 'reevaluation') return [];
  const fetched = new Map<string, FetchResult>();
  const closedMlflowRuns = new Set<string>();
  for (const { id } of plan.slices) {
    const result = await markers.get(id, 'fetch');
    if (result) fetched.set(id, result);
    for (const mlflowRunId of (await markers.get(id, 'enrich'))?.closed ?? [])
      closedMlflowRuns.add(mlflowRunId);
  }
  await advanceWatermarks(store, kind, plan, fetched);
  await removeOpenMlflowRuns(store, plan.open, closedMlflowRuns);
  const complete = new Set(completelyFetched(plan, fetched));
  for (const { experiment_ids, observed_at } of plan.chunks.filter(({ sweep }) => sweep)) {
    const swept = experiment_ids.filter((id) => complete.has(id));
    await markSwept(store, swept, observed_at);
  }
  const neverEnded = [...fetched.values()].flatMap(({ never_ended = [] }) => never_ended);
  await markNeverEndedFetched(store, neverEnded, plan.to);
  await removeDirtyDaysOf(store, pipelineRunId);
  await removeDirtyDays(store, plan.dirty.keys);
  const denied = [...fetched.values()].flatMap(({ refused }) => refused);
  return [...new Map(denied.map((each) => [each.experiment_id, each])).values()];
}

/**
 * The totals over the finished stages of a pipeline run.
 * @param read what to do with each read of a marker; by default an invalid marker throws `broken_document`
 */
export async function summarizePipelineRun(
  markers: Markers,
  read: <T>(marker: Promise<T | undefined>) => Promise<T | undefined> = (marker) => marker,
): Promise<PipelineRunSummary> {
  const summary: PipelineRunSummary = {
    runs: 0,
    metrics: 0,
    quarantined: 0,
    partitions_written: 0,
    partitions_unchanged: 0,
  };
  const slices = [...((await read(markers.plan()))?.slices ?? []).map(({ id }) => id), ALL_SLICES];
  for (const id of slices) {
    const enriched = await read(markers.get(id, 'enrich'));
    summary.runs += enriched?.runs ?? 0;
    summary.metrics += enriched?.metrics ?? 0;
    summary.quarantined += enriched?.quarantined ?? 0;
    const results = [
      enriched,
      await read(markers.get(id, 'aggregate')),
      await read(markers.get(id, 'publish')),
    ];
    for (const result of results) {
      summary.partitions_written += result?.partitions_written ?? 0;
      summary.partitions_unchanged += result?.partitions_unchanged ?? 0;
    }
  }
  return summary;
}

/** One line for logs and the terminal: `<id> <status>: <totals>, <duration> s; <error>; <experiments not read>`. */
export function describePipelineRun({
  id,
  status,
  created_at,
  finished_at,
  summary,
  error,
  refused,
}: PipelineRun): string {
  const seconds = (((finished_at ?? created_at) - created_at) / 1000).toFixed(1);
  const totals = summary
    ? `${summary.runs} runs, ${summary.metrics} metrics, ${summary.quarantined} quarantined, ` +
      `${summary.partitions_written} partitions written, ${summary.partitions_unchanged} unchanged, `
    : '';
  const failure = error ? `; ${stageName(error)}: ${error.message}` : '';
  const unreadIds = refused.map(({ experiment_id }) => experiment_id).join(', ');
  const unread = refused.length > 0 ? `; not read: experiments ${unreadIds}` : '';
  return `${id} ${status}: ${totals}${seconds} s${failure}${unread}`;
}
