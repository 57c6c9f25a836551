import type { LogFields } from '../observability/log-context.js';
import { removeDirtyDays, removeDirtyDaysOf } from '../state/dirty-days.js';
import { markEndedRunsAsked } from '../state/ended-runs.js';
import { markSwept } from '../state/experiments.js';
import { markNeverEndedFetched } from '../state/never-ended-runs.js';
import { removeOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { markRewritten } from '../state/raise-versions.js';
import { markChangesPublished } from '../state/threshold-changes.js';
import { latestOf } from '../storage/latest-objects.js';
import type { ObjectStore } from '../storage/object-store.js';
import { advanceWatermarks, completelyFetched } from './advance-watermarks.js';
import type { Markers, ReadMarker } from './markers.js';
import type { PipelineRun, PipelineRunSummary } from './pipeline-run.js';
import type { EnrichResult, FetchResult, Plan, Stage } from './stage-contracts.js';

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
  { fetched, enriched }: Pick<StageOutcomes, 'fetched' | 'enriched'>,
): Promise<FetchResult['refused']> {
  if (plan.changes) await markChangesPublished(store, plan.changes);
  if (plan.versions) await markRewritten(store, plan.versions);
  if (kind === 'reevaluation') return [];
  const replayed = plan.open.filter((run) => run.replayed).map(({ run_id }) => run_id);
  const closedMlflowRuns = new Set([...[...enriched.values()].flatMap(({ closed }) => closed), ...replayed]);
  const watermark = await advanceWatermarks(store, kind, plan, fetched);
  if (watermark !== undefined) await latestOf(store).setWatermark(watermark);
  await removeOpenMlflowRuns(store, plan.open, closedMlflowRuns);
  const complete = new Set(completelyFetched(plan, fetched));
  for (const { experiment_ids, observed_at } of plan.chunks.filter(({ sweep }) => sweep)) {
    const swept = experiment_ids.filter((id) => complete.has(id));
    await markSwept(store, swept, observed_at);
  }
  const neverEnded = [...fetched.values()].flatMap(({ never_ended = [] }) => never_ended);
  await markNeverEndedFetched(store, neverEnded, plan.to);
  if (plan.ended) {
    const cut = [...fetched.values()].flatMap(({ ended_since }) => ended_since ?? []);
    const since = plan.ended.since === null ? null : Math.max(plan.ended.since, ...cut);
    await markEndedRunsAsked(store, { asked_at: plan.to, since });
  }
  await removeDirtyDaysOf(store, pipelineRunId);
  await removeDirtyDays(store, plan.dirty.keys);
  const denied = [...fetched.values()].flatMap(({ refused }) => refused);
  return [...new Map(denied.map((each) => [each.experiment_id, each])).values()];
}

/** How many objects a stage has published, and how many of those it looked at were up to date. */
interface Published {
  readonly partitions_written?: number;
  readonly partitions_unchanged: number;
  readonly left_to_newer?: boolean | undefined;
}

/** The results of the finished stages of a pipeline run, by slice. */
export interface StageOutcomes {
  readonly fetched: ReadonlyMap<string, FetchResult>;
  readonly enriched: ReadonlyMap<string, EnrichResult>;
  /** Those of the stages that publish. */
  readonly published: readonly Published[];
  /** The days whose judged objects may have changed. */
  readonly touched: ReadonlySet<string>;
  /** For each stage, how often it was executed, and the seconds that this took in all. */
  readonly durations: ReadonlyMap<Stage, { readonly count: number; readonly seconds: number }>;
}

const PUBLISHING = [
  'aggregate',
  'select-judge',
  'judge',
  'select-forecast',
  'forecast',
  'select-rebuild',
  'rebuild',
  'publish',
] as const;

/** @param read what to do with each read of a marker; by default an invalid marker throws `broken_document` */
export async function readOutcomes(
  markers: Markers,
  done: ReadonlySet<string>,
  read?: ReadMarker,
): Promise<StageOutcomes> {
  const durations = new Map<Stage, { count: number; seconds: number }>();
  const results = async <S extends Stage>(stage: S) => {
    const found = await markers.results(stage, done, read);
    const seconds = sum([...found.values()], (result) => result.seconds ?? 0);
    if (found.size > 0) durations.set(stage, { count: found.size, seconds });
    return found;
  };
  const fetched = await results('fetch');
  const enriched = await results('enrich');
  const published: Published[] = [...enriched.values()];
  const selected = await results('select-judge');
  const touched = new Set([
    ...[...enriched.values()].flatMap(({ touched_days }) => touched_days),
    ...[...selected.values()].flatMap(({ units }) => units.map(({ day }) => day)),
  ]);
  for (const stage of PUBLISHING) published.push(...(await results(stage)).values());
  return { fetched, enriched, published, touched, durations };
}

const sum = <T>(results: readonly T[], pick: (result: T) => number): number =>
  results.reduce((total, result) => total + pick(result), 0);

/** The totals over the finished stages of a pipeline run. */
export function summarizePipelineRun({
  enriched,
  published,
}: Pick<StageOutcomes, 'enriched' | 'published'>): PipelineRunSummary {
  const slices = [...enriched.values()];
  const expired = sum(slices, (slice) => slice.expired ?? 0);
  return {
    runs: sum(slices, ({ runs }) => runs),
    metrics: sum(slices, ({ metrics }) => metrics),
    quarantined: sum(slices, ({ quarantined }) => quarantined),
    ...(expired > 0 ? { expired } : {}),
    partitions_written: sum(published, ({ partitions_written = 0 }) => partitions_written),
    partitions_unchanged: sum(published, ({ partitions_unchanged }) => partitions_unchanged),
    ...(published.some(({ left_to_newer }) => left_to_newer) ? { left_to_newer: true } : {}),
  };
}

/** The fields of the log line of a finished pipeline run, besides its totals: times in seconds, sizes in bytes. */
export function runFields(
  { kind, status, created_at, finished_at, summary }: PipelineRun,
  { fetched, durations }: Pick<StageOutcomes, 'fetched' | 'durations'>,
): LogFields {
  const { left_to_newer: _, ...totals } = summary ?? {};
  return {
    kind,
    status,
    seconds: ((finished_at ?? created_at) - created_at) / 1000,
    ...totals,
    pages: sum([...fetched.values()], ({ pages }) => pages.length),
    bytes: sum([...fetched.values()], ({ bytes }) => bytes),
    ...Object.fromEntries(
      [...durations].flatMap(([stage, { count, seconds }]) => {
        const name = stage.replace('-', '_');
        return [
          [`${name}_count`, count],
          [`${name}_seconds`, Math.round(seconds * 1000) / 1000],
        ];
      }),
    ),
  };
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
  const expired = summary?.expired ? `${summary.expired} runs of days that are no longer kept, ` : '';
  const totals = summary
    ? `${summary.runs} runs, ${summary.metrics} metrics, ${summary.quarantined} quarantined, ${expired}` +
      `${summary.partitions_written} partitions written, ${summary.partitions_unchanged} unchanged, `
    : '';
  const failure = error ? `; ${error.slice}.${error.stage}: ${error.message}` : '';
  const unreadIds = refused.map(({ experiment_id }) => experiment_id).join(', ');
  const unread = refused.length > 0 ? `; not read: experiments ${unreadIds}` : '';
  const left = summary?.left_to_newer ? '; a newer release must publish the days' : '';
  return `${id} ${status}: ${totals}${seconds} s${failure}${unread}${left}`;
}
