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
  if (files.enriched.length === 0 || files.timeseries.length === 0) {
    await session.run(statement('no_points'));
    return undefined;
  }
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
  const [newest] = await session.rows<Newest>(statement('series_newest'));
  const thinned = newest && newest.total > maxPoints ? await thin(session, maxPoints) : null;
  if (!thinned) await session.run('CREATE OR REPLACE TEMP VIEW shown AS FROM points');
  if (!newest) return undefined;
  const changes = await loadLimitChanges(session, files.changes);
  return {
    ...newest,
    thinned,
    limits: await loadSteps(session, span),
    limit_changes: changes.length === 0 ? [] : await ownChanges(session, changes, metric),
  };
}

type Newest = Pick<Series, 'display_name' | 'unit' | 'higher_is_better' | 'total'>;

async function thin(session: DuckSession, maxPoints: number): Promise<NonNullable<Series['thinned']>> {
  await session.run(statement('series_shown'), { max_points: maxPoints });
  const [counts] = await session.rows<NonNullable<Series['thinned']>>(statement('series_counts'));
  return counts ?? { left_out: 0, not_healthy_left_out: 0 };
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
