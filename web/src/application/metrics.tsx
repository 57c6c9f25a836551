import { useSignal } from '@preact/signals';
import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { MetricNow, Metrics } from '../../../src/dashboard/contract/metrics.js';
import { Choice } from '../frame/choice.jsx';
import { Panel } from '../frame/panel.jsx';
import type { Use } from '../service/resource.js';
import { plural } from '../words/words.js';
import { TimeAxis } from './axis.jsx';
import { Legend } from './legend.jsx';
import { limitNotes } from './limit-notes.js';
import { LimitNotes } from './limit-notes-list.jsx';
import { MetricRow } from './metric-row.jsx';
import { RANGES } from './page.jsx';
import { rowAxis } from './row-axis.js';
import { Suggestion } from './suggestion.jsx';

/** The metrics of an application on one time axis, the worst first. */
export function MetricsSection({
  of,
  forecasts,
  application,
  days,
}: {
  of: Use<Metrics>;
  forecasts: Forecast | undefined;
  application: string;
  days: string;
}) {
  return (
    <section aria-labelledby="metrics">
      <div class="section-head">
        <h2 id="metrics">Metrics, the worst first</h2>
        <Choice label="Days shown" name="days" values={RANGES} chosen={days} text={(value) => `${value} d`} />
      </div>
      <Panel of={of} name="The metrics" height={420} phone={620}>
        {(data) =>
          data.metrics.length === 0 ? (
            <p>No run of the last {days} days has logged a metric. A longer time may show some.</p>
          ) : (
            <Rows data={data} forecasts={forecasts} application={application} />
          )
        }
      </Panel>
    </section>
  );
}

function Rows({
  data,
  forecasts,
  application,
}: {
  data: Metrics;
  forecasts: Forecast | undefined;
  application: string;
}) {
  /** The cell that the reader points at; null: none. */
  const pointed = useSignal<number | null>(null);
  const notes = limitNotes(data.metrics);
  const judged = data.metrics.filter(({ status, suggestion }) => status !== 'unmonitored' || !suggestion);
  const unjudged = data.metrics.filter((metric) => !judged.includes(metric));
  const cells = data.metrics[0]?.cells.status.length ?? 0;
  const forecastOf = (metric: MetricNow) => forecasts?.forecasts.find((each) => each.metric === metric.name);
  const axis = rowAxis(
    data,
    judged.flatMap((metric) => forecastOf(metric) ?? []),
  );
  const shared = { axis, application, pointed, notes };
  const point = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const chart = event.currentTarget.querySelector('.mini')?.getBoundingClientRect();
    const cell = chart && Math.floor(((event.clientX - chart.left) / (chart.width * axis.share)) * cells);
    pointed.value = cell !== undefined && cell >= 0 && cell < cells ? cell : null;
  };
  return (
    <>
      <Legend metrics={data.metrics} forecast={axis.share < 1} />
      <div
        class="metrics"
        onPointerMove={point}
        onPointerLeave={() => {
          pointed.value = null;
        }}
      >
        <TimeAxis data={data} axis={axis} pointed={pointed} notes={notes} />
        <ul>
          {judged.map((metric) => (
            <MetricRow key={metric.name} metric={metric} forecast={forecastOf(metric)} {...shared} />
          ))}
        </ul>
        {unjudged.length > 0 && <Unjudged metrics={unjudged} alone={judged.length === 0} shared={shared} />}
      </div>
      <LimitNotes notes={notes} />
    </>
  );
}

function Unjudged({
  metrics,
  alone,
  shared,
}: {
  metrics: readonly MetricNow[];
  alone: boolean;
  shared: Omit<Parameters<typeof MetricRow>[0], 'metric'>;
}) {
  return (
    <details class="unjudged" open={metrics.length <= 3 || alone}>
      <summary>
        <b>{plural(metrics.length, 'metric')} without thresholds</b>, not judged; with the limits that{' '}
        <code>suggest</code> would propose from these runs
      </summary>
      <ul>
        {metrics.map((metric) => (
          <MetricRow key={metric.name} metric={metric} {...shared}>
            <Suggestion metric={metric} />
          </MetricRow>
        ))}
      </ul>
    </details>
  );
}
