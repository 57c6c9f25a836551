import { z } from 'zod';
import { runUrl } from '../../domain/mlflow-urls.js';
import type { MetricStatus, Window } from '../../domain/model.js';
import { daysOf } from '../../domain/time.js';
import { type DuckSession, sql } from '../../storage/duck.js';
import { createRunsMacro } from '../../storage/judged-runs.js';
import type { ListedRun, RunDetail } from '../contract/runs.js';

/** A row of the dataset `runs`; times are ms. */
interface RunRow {
  readonly run_id: string;
  readonly run_name: string;
  readonly application: string;
  readonly experiment_id: string;
  readonly experiment_name: string | null;
  readonly day: string;
  readonly time: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly user_id: string | null;
  readonly run_status: string;
  readonly parent_run_id: string | null;
  readonly eligible: boolean;
  readonly status: MetricStatus;
  readonly evaluated_metrics: number;
  readonly total_metrics: number;
}

/** The last run of a page. */
export const runsCursorSchema = z.tuple([z.number(), z.string()]);

export interface RunsRequest {
  readonly application: string;
  /** '' for any. */
  readonly status: MetricStatus | '';
  /** '' for runs without a parent. */
  readonly parent: string;
  readonly span: Window;
  readonly limit: number;
  readonly before: z.infer<typeof runsCursorSchema> | undefined;
}

/** Local files of days, given on demand: which days are needed is known only when the runs are. */
export type FilesOfDays = (
  dataset: 'runs' | 'enriched_metrics',
  days: readonly string[],
) => Promise<string[]>;

const statement = (name: string) => sql(import.meta.url, `./sql/${name}.sql`);

/** The runs of a page, and the cursor of the next one; null on the last page. */
export async function loadRuns(
  session: DuckSession,
  filesOf: FilesOfDays,
  request: RunsRequest,
  mlflowUi: string,
): Promise<{ runs: ListedRun[]; next: z.infer<typeof runsCursorSchema> | null }> {
  const { application, status, parent, span, limit, before } = request;
  const [beforeTime, beforeId] = before ?? [span.to, ''];
  const until = Math.min(span.to, beforeTime + 1);
  const files = await filesOf('runs', daysOf({ from: span.from, to: until }));
  if (files.length === 0) return { runs: [], next: null };
  const found = await session.rows<RunRow>(statement('list_runs'), {
    runs: files,
    application,
    status,
    parent,
    from: BigInt(span.from),
    to: BigInt(span.to),
    before_time: beforeTime,
    before_id: beforeId,
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  const ids = page.map(({ run_id }) => run_id);
  if (ids.length === 0) return { runs: [], next: null };
  await createRunsMacro(session);
  const enriched = await filesOf('enriched_metrics', [...new Set(page.map(({ day }) => day))]);
  const [worst, children] = [
    await rowsById<NonNullable<ListedRun['worst_metric']>>(session, 'worst_metrics', {
      enriched,
      application,
      run_ids: ids,
    }),
    await rowsById<NonNullable<ListedRun['children']>>(session, 'run_children', {
      runs: await filesOf('runs', daysOf(span)),
      application,
      run_ids: ids,
    }),
  ];
  const last = page.at(-1);
  return {
    runs: page.map((row) => ({
      ...describeRun(row, mlflowUi),
      worst_metric: worst.get(row.run_id) ?? null,
      children: children.get(row.run_id) ?? null,
    })),
    next: last && found.length > limit ? [last.time, last.run_id] : null,
  };
}

async function rowsById<T>(
  session: DuckSession,
  name: string,
  parameters: Record<string, string | readonly string[]>,
): Promise<Map<string, T>> {
  const rows = await session.rows<T & { run_id: string }>(statement(name), parameters);
  return new Map(rows.map(({ run_id, ...row }) => [run_id, row as T]));
}

/** The most metrics of one run in a response. */
const MAX_METRICS = 1_000;

/** A run of a day with everything that is published about it; `undefined` if there is no such run. */
export async function loadRun(
  session: DuckSession,
  files: { readonly runs: readonly string[]; readonly enriched: readonly string[] },
  runId: string,
  mlflowUi: string,
): Promise<RunDetail | undefined> {
  if (files.runs.length === 0) return undefined;
  const [row] = await session.rows<RunRow & { params: string; tags: string }>(statement('run_detail'), {
    runs: files.runs,
    run_id: runId,
  });
  if (!row) return undefined;
  const metrics =
    files.enriched.length === 0
      ? []
      : await session.rows<RunDetail['metrics'][number]>(statement('run_metrics'), {
          enriched: files.enriched,
          run_id: runId,
          limit: MAX_METRICS,
        });
  return {
    ...describeRun(row, mlflowUi),
    params: JSON.parse(row.params),
    tags: JSON.parse(row.tags),
    metrics,
  };
}

function describeRun(row: RunRow, mlflowUi: string): Omit<ListedRun, 'worst_metric' | 'children'> {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    run_id: row.run_id,
    run_name: row.run_name,
    application: row.application,
    experiment_id: row.experiment_id,
    experiment_name: row.experiment_name,
    url: runUrl(mlflowUi, row),
    day: row.day,
    at: iso(row.time),
    started_at: row.started === null ? null : iso(row.started),
    ended_at: row.ended === null ? null : iso(row.ended),
    user_id: row.user_id,
    run_status: row.run_status,
    parent_run_id: row.parent_run_id,
    eligible: row.eligible,
    status: row.status,
    evaluated_metrics: row.evaluated_metrics,
    total_metrics: row.total_metrics,
  };
}
