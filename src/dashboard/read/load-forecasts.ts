import { type DuckSession, sql } from '../../storage/duck.js';
import type { Forecast } from '../contract/forecast.js';

type Steps = Forecast['forecasts'][number]['columns'];

/** A forecast and its steps; times in ms. */
interface ForecastRow extends Steps {
  readonly metric: string;
  readonly fitted_at: number;
  readonly points: number;
  /** JSON */
  readonly model: string;
  readonly warning_earliest: number | null;
  readonly warning_expected: number | null;
  readonly critical_earliest: number | null;
  readonly critical_expected: number | null;
}

/**
 * The newest forecasts of an application.
 * @param metric '' for all
 * @param to ms: forecasts from later values are not for now
 */
export async function loadForecasts(
  session: DuckSession,
  forecasts: readonly string[],
  { application, metric, to }: { readonly application: string; readonly metric: string; readonly to: number },
): Promise<Forecast['forecasts']> {
  if (forecasts.length === 0) return [];
  const rows = await session.rows<ForecastRow>(sql(import.meta.url, './sql/forecasts.sql'), {
    forecasts,
    application,
    metric,
    to: BigInt(to),
  });
  return rows.map((row) => {
    const {
      metric: name,
      fitted_at,
      points,
      model,
      time,
      forecast,
      lower_80,
      upper_80,
      lower_95,
      upper_95,
    } = row;
    return {
      metric: name,
      fitted_at: iso(fitted_at),
      points,
      model: JSON.parse(model),
      warning: breachOf(row.warning_earliest, row.warning_expected),
      critical: breachOf(row.critical_earliest, row.critical_expected),
      columns: { time, forecast, lower_80, upper_80, lower_95, upper_95 },
    };
  });
}

const iso = (ms: number): string => new Date(ms).toISOString();

const breachOf = (earliest: number | null, expected: number | null) =>
  earliest === null || expected === null ? null : { earliest: iso(earliest), expected: iso(expected) };
