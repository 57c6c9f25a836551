import { METRIC_STATUSES, type MetricStatus } from '../../../src/domain/model.js';
import { Shape } from '../marks/status.jsx';
import { STATUS_LABELS } from '../words/words.js';

/** What the marks and lines of the chart mean: only what is in it. */
export function PointLegend({
  statuses,
  compared,
  level,
  outliers,
  forecast,
}: {
  statuses: readonly MetricStatus[];
  compared: string | null;
  /** The name of a model version. */
  level: string | null;
  outliers: boolean;
  forecast: boolean;
}) {
  const present = new Set(statuses);
  return (
    <ul class="mini-legend" aria-label="Legend">
      {METRIC_STATUSES.filter((status) => present.has(status)).map((status) => (
        <li key={status}>
          <Shape of={status} />
          {status === 'unmonitored' ? 'run, not judged' : `${STATUS_LABELS[status].toLowerCase()} run`}
        </li>
      ))}
      {outliers && (
        <li>
          <i class="ring-sample" />
          outlier
        </li>
      )}
      <li>
        <i class="line-sample" />
        moving average
      </li>
      {compared && (
        <li>
          <i class="line-sample dashed" />
          {compared}, moving average
        </li>
      )}
      {level && (
        <li>
          <i class="level-sample" />
          {level}, median and the middle 80 %
        </li>
      )}
      {forecast && (
        <li>
          <i class="forecast-sample" />
          forecast with its 80 and 95 % bands
        </li>
      )}
      <li>
        <i class="limit-sample" />
        beyond a limit
      </li>
    </ul>
  );
}
