import type { Window } from '../../domain/model.js';
import { type DuckSession, sql } from '../../storage/duck.js';
import type { LimitChange, LimitStep } from '../contract/limits.js';
import type { Series } from '../contract/series.js';
import { changesOf, loadLimitChanges, loadLimitSteps } from './limits.js';
import { loadExperiments } from './load-metrics.js';

export interface SeriesRequest {
  readonly application: string;
  readonly metric: string;
  readonly span: Window;
  readonly maxPoints: number;
}

/** Local files of the days of a request. */
export interface SeriesFiles {
  readonly enriched: readonly string[];
  readonly timeseries: readonly string[];
  readonly changes: readonly string[];
}

const statement = (name: string) => sql(import.meta.url, `./sql/${name}.sql`);

/** What is known about a series without its points. */
export type SeriesHead = Omit<Series, 'application' | 'metric' | 'from' | 'to' | 'columns'>;

/**
 * Creates `shown`, the points of a series to show.
 * @returns `undefined` if there are none; `shown` is empty then
 */
export async function loadPoints(
  session: DuckSession,
  files: SeriesFiles,
  { application, metric, span, maxPoints }: SeriesRequest,
): Promise<SeriesHead | undefined> {
  await session.run(statement('no_points'));
  if (files.enriched.length === 0 || files.timeseries.length === 0) return undefined;
  await session.run(statement('series_points'), {
    enriched: files.enriched,
    timeseries: files.timeseries,
    application,
    metric,
    from: BigInt(span.from),
    to: BigInt(span.to),
  });
  // The statements about limits read a table of this name.
  await session.run('CREATE OR REPLACE TEMP VIEW judged AS FROM points');
  await session.run(statement('series_shown'), { max_points: maxPoints });
  const [counts] = await session.rows<{ total: number; left_out: number; not_healthy_left_out: number }>(
    statement('series_counts'),
  );
  const [newest] = await session.rows<Pick<Series, 'display_name' | 'unit' | 'higher_is_better'>>(
    statement('series_newest'),
  );
  if (!counts || !newest || counts.total === 0) return undefined;
  const { total, ...thinned } = counts;
  const changes = await loadLimitChanges(session, files.changes);
  return {
    ...newest,
    total,
    thinned: total > maxPoints ? thinned : null,
    limits: await loadSteps(session, span),
    limit_changes: changes.length === 0 ? [] : await ownChanges(session, changes, metric),
  };
}

async function loadSteps(session: DuckSession, span: Window): Promise<LimitStep[]> {
  const steps = await loadLimitSteps(session, span.from);
  return steps.map(({ metric_name: _, ...step }) => step);
}

async function ownChanges(
  session: DuckSession,
  changes: readonly LimitChange[],
  metric: string,
): Promise<LimitChange[]> {
  return changesOf(changes, metric, await loadExperiments(session));
}

/** The points of `shown`. */
export async function readColumns(session: DuckSession): Promise<Series['columns']> {
  return (await session.columns(statement('series_columns'))) as Series['columns'];
}
