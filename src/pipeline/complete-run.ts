import type { PipelineKind } from '../domain/model.js';
import { markSwept } from '../state/experiments.js';
import { removeOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { markChangesPublished } from '../state/threshold-changes.js';
import type { ObjectStore } from '../storage/object-store.js';
import { answeredEverywhere, moveWatermarks } from './advance-watermarks.js';
import { stageName } from './due-stages.js';
import type { Markers } from './markers.js';
import type { PipelineRun, PipelineRunSummary } from './pipeline-run.js';
import { ALL_SLICES, type FetchResult, type Plan } from './stage-contracts.js';

/**
 * What may happen only after a run is published: watermarks move, runs that have ended leave the open list. May be done twice.
 * @returns the experiments that the tracking server refused
 */
export async function completePipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  plan: Plan,
  markers: Markers,
): Promise<FetchResult['refused']> {
  if (plan.changes) await markChangesPublished(store, plan.changes);
  if (kind === 'reevaluation') return [];
  const fetched = new Map<string, FetchResult>();
  const closed = new Set<string>();
  for (const { id } of plan.slices) {
    const answers = await markers.get(id, 'fetch');
    if (answers) fetched.set(id, answers);
    for (const runId of (await markers.get(id, 'enrich'))?.closed ?? []) closed.add(runId);
  }
  await moveWatermarks(store, kind, plan, fetched);
  await removeOpenMlflowRuns(store, plan.open, closed);
  const answered = new Set(answeredEverywhere(plan, fetched));
  for (const { experiment_ids, observed_at } of plan.chunks.filter(({ sweep }) => sweep)) {
    const swept = experiment_ids.filter((id) => answered.has(id));
    await markSwept(store, swept, observed_at);
  }
  const refused = new Map([...fetched.values()].flatMap((f) => f.refused).map((r) => [r.experiment_id, r]));
  return [...refused.values()];
}

/** Adds up what the finished stages of a run did. */
export async function summarizePipelineRun(markers: Markers): Promise<PipelineRunSummary> {
  const summary: PipelineRunSummary = {
    runs: 0,
    metrics: 0,
    quarantined: 0,
    partitions_written: 0,
    partitions_unchanged: 0,
  };
  const slices = [...((await markers.plan())?.slices ?? []).map(({ id }) => id), ALL_SLICES];
  for (const id of slices) {
    const enriched = await markers.get(id, 'enrich');
    summary.runs += enriched?.runs ?? 0;
    summary.metrics += enriched?.metrics ?? 0;
    summary.quarantined += enriched?.quarantined ?? 0;
    const results = [enriched, await markers.get(id, 'aggregate'), await markers.get(id, 'publish')];
    for (const result of results) {
      summary.partitions_written += result?.partitions_written ?? 0;
      summary.partitions_unchanged += result?.partitions_unchanged ?? 0;
    }
  }
  return summary;
}

/** A finished run in one line for people. */
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
  const did = summary
    ? `${summary.runs} runs, ${summary.metrics} metrics, ${summary.quarantined} quarantined, ` +
      `${summary.partitions_written} partitions written, ${summary.partitions_unchanged} unchanged, `
    : '';
  const why = error ? `; ${stageName(error)}: ${error.message}` : '';
  const lags = refused.length > 0 ? `; MLflow refused ${refused.map((r) => r.experiment_id).join(', ')}` : '';
  return `${id} ${status}: ${did}${seconds} s${why}${lags}`;
}
