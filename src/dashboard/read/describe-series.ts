import type { Steps } from '../../domain/steps.js';
import type { Series } from '../contract/series.js';
import type { SeriesHead, SeriesRequest } from './load-points.js';

/** The response of `/series`. @param head undefined: there are no points */
export function describeSeries(
  head: SeriesHead | undefined,
  columns: Series['columns'],
  { application, metric, span }: SeriesRequest,
): Series {
  const { limits, limit_changes, ...facts } = head ?? EMPTY;
  return {
    application,
    metric,
    ...facts,
    display_name: head?.display_name ?? metric,
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    columns,
    limits,
    limit_changes,
  };
}

const EMPTY: SeriesHead = {
  display_name: '',
  unit: null,
  higher_is_better: null,
  total: 0,
  thinned: null,
  limits: [],
  limit_changes: [],
};

/** The text of `JSON.stringify(series)` in UTF-8, a column at a time. */
export function* seriesJsonSteps({ columns, ...rest }: Series): Steps<Buffer> {
  const texts: string[] = [];
  for (const [name, values] of Object.entries(columns)) {
    yield;
    texts.push(`${JSON.stringify(name)}:${JSON.stringify(values)}`);
  }
  yield;
  return Buffer.from(`${JSON.stringify(rest).slice(0, -1)},"columns":{${texts.join(',')}}}`);
}
