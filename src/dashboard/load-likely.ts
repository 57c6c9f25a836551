import { type LikelyBreach, soonestBreaches } from '../domain/likely-breach.js';
import type { Window } from '../domain/model.js';
import { ATTENTION_SPAN_MS } from '../domain/needs-attention.js';
import { daysOf, MS_PER_HOUR } from '../domain/time.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { loadSeriesRuns, type SeriesRun } from './load-series.js';
import { filesOf, type Published } from './published-objects.js';

/** A series that is likely to cross a limit, and its runs of 8 days, oldest first. */
export interface LikelySeries extends LikelyBreach {
  readonly runs: readonly SeriesRun[];
}

/**
 * The series with points in the last 7 days that are likely to cross a limit after the start of the current hour: of each
 * application the one that is expected to do so first.
 * @param current the span that ends with the current hour
 */
export async function loadLikelySeries(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  current: Window,
): Promise<LikelySeries[]> {
  const read = { from: current.to - ATTENTION_SPAN_MS, to: current.to };
  const forecasts = await filesOf(store, published, 'metric_forecast', daysOf(read));
  if (forecasts.length === 0) return [];
  const breaches = await session.rows<LikelyBreach>(sql(import.meta.url, './sql/likely_breaches.sql'), {
    forecasts,
    to: BigInt(current.to),
  });
  const soonest = soonestBreaches(breaches, current.to - MS_PER_HOUR).map(({ series }) => series);
  const runs = await loadSeriesRuns(store, session, published, current.to, soonest);
  return soonest.map((series) => ({ ...series, runs: runs.get(series.application) ?? [] }));
}
