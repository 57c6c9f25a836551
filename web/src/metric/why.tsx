import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import type { Series } from '../../../src/dashboard/contract/series.js';
import { Panel } from '../frame/panel.jsx';
import { useResource } from '../service/resource.js';
import { minuteTime } from '../words/time.js';
import { keepUnits } from '../words/words.js';
import { zone } from '../words/zone.js';
import { type Explanation, explanationText } from './explain.js';
import { runUrl } from './run-url.js';

/** Why the metric has its status: the run with which it began, compared with the one before it. */
export function WhySection({ metric, series }: { metric: MetricNow; series: Series }) {
  const began = Date.parse(metric.status_since);
  const first = series.columns.time.findIndex(
    (time, i) => time === began && series.columns.status[i] === metric.status,
  );
  const isBeginning = first >= 0 && !metric.status_since_before;
  const run_id = isBeginning ? (series.columns.run_id[first] ?? '') : metric.run.run_id;
  const at = isBeginning ? began : Date.parse(metric.run.at);
  const query = new URLSearchParams({
    day: new Date(at).toISOString().slice(0, 10),
    run_id,
    metric: metric.name,
  });
  const explanation = useResource<Explanation>(`api/v1/explanation?${query}`);
  const name = isBeginning ? series.columns.run_name[first] : metric.run.run_name;
  const experiment = isBeginning ? series.columns.experiment_id[first] : undefined;
  const url = experiment === undefined ? metric.run.url : runUrl(metric.run.url, experiment, run_id);
  return (
    <section aria-labelledby="why">
      <h2 id="why">{isBeginning ? 'Why the status changed' : 'The newest run and the one before'}</h2>
      <Panel of={explanation} name="The explanation" height={44}>
        {(found) => (
          <p class="prose">
            <a href={url}>{name}</a>, {minuteTime(at, zone.value)}:{' '}
            {keepUnits(explanationText(found, metric.unit, (time) => minuteTime(time, zone.value)))}
          </p>
        )}
      </Panel>
    </section>
  );
}
