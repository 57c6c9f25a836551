import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import type { MetricStatus } from '../../../src/domain/model.js';
import { METRIC_STATUSES } from '../../../src/domain/model.js';
import { STATUS_LABELS } from '../words/words.js';

/** What the lines below the pictures mean: only what is in them. */
export function Legend({ metrics, forecast }: { metrics: readonly MetricNow[]; forecast: boolean }) {
  const present = new Set(metrics.flatMap(({ cells }) => cells.status));
  const statuses = [...METRIC_STATUSES].reverse().filter((status) => present.has(status));
  return (
    <ul class="mini-legend" aria-label="Legend">
      {statuses.map((status: MetricStatus) => (
        <li key={status}>
          <i class={`stretch ${status}`} />
          {status === 'unmonitored' ? 'not judged' : STATUS_LABELS[status].toLowerCase()}
        </li>
      ))}
      {present.has(null) && (
        <li>
          <i class="stretch none" />
          no run with this metric
        </li>
      )}
      {metrics.some(({ limits }) => limits.length > 0) && (
        <li>
          <i class="limit-sample" />
          limit; shaded: beyond it
        </li>
      )}
      {forecast && (
        <li>
          <i class="forecast-sample" />
          forecast with its 80 and 95 % bands
        </li>
      )}
    </ul>
  );
}
