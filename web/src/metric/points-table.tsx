import { useState } from 'preact/hooks';
import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import type { Series } from '../../../src/dashboard/contract/series.js';
import type { Outliers } from '../../../src/domain/outliers.js';
import { Age, Status } from '../marks/status.jsx';
import { differenceText, valueText } from '../words/quantity.js';
import { keepUnits } from '../words/words.js';
import { pointWhy } from './point-why.js';
import { runUrl } from './run-url.js';

const ROWS = 20;

/** The runs of the chart, newest first. */
export function PointsTable({
  metric,
  series,
  outliers,
}: {
  metric: MetricNow;
  series: Series;
  outliers: Outliers | null;
}) {
  const [rows, setRows] = useState(ROWS);
  const { columns, unit } = series;
  const count = columns.time.length;
  if (count === 0) return null;
  const newest = Array.from({ length: Math.min(rows, count) }, (_, i) => count - 1 - i);
  return (
    <section aria-labelledby="runs">
      <h2 id="runs">Runs in this time, newest first</h2>
      <table class="runs">
        <thead>
          <tr>
            <th>Run in MLflow</th>
            <th>Status</th>
            <th class="number">{series.display_name}</th>
            <th class="number">Change</th>
            <th>Started</th>
            <th>By</th>
            <th>Why</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((i) => (
            <tr key={columns.run_id[i]}>
              <td>
                <a href={runUrl(metric.run.url, columns.experiment_id[i] ?? '', columns.run_id[i] ?? '')}>
                  {columns.run_name[i]}
                </a>
              </td>
              <td>
                <Status of={columns.status[i] ?? 'unmonitored'} />
              </td>
              <td class="number">
                {keepUnits(
                  valueText({
                    value: columns.value[i] ?? null,
                    invalid_kind: columns.invalid_kind[i] ?? null,
                    unit,
                  }),
                )}
              </td>
              <td class="number quiet">{differenceText(changeAt(columns.value, i), null)}</td>
              <td class="quiet">
                <Age at={new Date(columns.time[i] ?? 0).toISOString()} after=" ago" />
              </td>
              <td class="quiet">{columns.user_id[i]}</td>
              <td class="quiet">{keepUnits(pointWhy(series, i, outliers?.indices.has(i) ?? false))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows < count && (
        <button type="button" class="fold" onClick={() => setRows(rows + 5 * ROWS)}>
          Show more of the {count.toLocaleString('en')} runs
        </button>
      )}
    </section>
  );
}

/** The difference to the valid value before; null if there is none in the chart. */
function changeAt(values: readonly (number | null)[], index: number): number | null {
  const value = values[index] ?? null;
  let previous = index - 1;
  while (previous >= 0 && values[previous] === null) previous--;
  const before = values[previous] ?? null;
  return value === null || before === null ? null : value - before;
}
