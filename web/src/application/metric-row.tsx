import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import { formatPeriod } from '../../../src/domain/format.js';
import { metricPath } from '../frame/routes.js';
import { Age, Shape } from '../marks/status.jsx';
import { serviceTime } from '../service/clock.js';
import { nextBreach } from '../words/likely.js';
import { distanceText, forText, isSilent, valueText } from '../words/quantity.js';
import { exactTime } from '../words/time.js';
import { keepUnits, STATUS_LABELS } from '../words/words.js';
import { zone } from '../words/zone.js';
import { type LimitNote, letterOfChange } from './limit-notes.js';
import { MiniChart } from './mini-chart.jsx';
import type { RowAxis } from './row-axis.js';

interface Row {
  readonly metric: MetricNow;
  readonly axis: RowAxis;
  readonly application: string;
  readonly pointed: Signal<number | null>;
  readonly notes: readonly LimitNote[];
  /** Of a metric with a threshold, if there is one. */
  readonly forecast?: Forecast['forecasts'][number] | undefined;
  readonly children?: ComponentChildren;
}

/** One metric: its newest value, how far it is from its limit, since when, and its course. */
export function MetricRow({ metric, axis, application, pointed, notes, forecast, children }: Row) {
  const { name, display_name, status, limit, run } = metric;
  const silent = isSilent(metric.light_span);
  const shown = silent ? 'no_data' : status;
  const marks = metric.limit_changes.map((change) => ({
    at: Date.parse(change.at),
    letter: letterOfChange(notes, change),
  }));
  return (
    <li class="metric-row">
      <div class="metric-name">
        <Shape of={shown} />
        <a href={metricPath(application, name)} title={name}>
          {display_name}
        </a>
        <p>
          {silent ? (
            <>
              <b class="no_data">Not logged</b> <Age at={run.at} before="for " />
              {status !== 'unmonitored' && <>, {STATUS_LABELS[status].toLowerCase()} before</>}
            </>
          ) : (
            <>
              <b class={status}>{STATUS_LABELS[status]}</b>{' '}
              {status !== 'unmonitored' && <Since metric={metric} />}
            </>
          )}
        </p>
        <Next forecast={forecast} />
      </div>
      <div class="metric-value">
        <b class={shown} title={`${run.run_name}, ${exactTime(run.at, zone.value)}`}>
          {keepUnits(valueText(metric, limit))}
        </b>
        <span>{keepUnits(distanceText(metric, limit) ?? '')}</span>
      </div>
      <MiniChart metric={metric} axis={axis} forecast={forecast} marks={marks} pointed={pointed} />
      {children}
    </li>
  );
}

/** The limit that the metric is expected to cross. */
function Next({ forecast }: Pick<Row, 'forecast'>) {
  const now = serviceTime.value;
  const breach = nextBreach(forecast, now);
  if (!breach) return null;
  return (
    <p>
      Likely {breach.next} in about {formatPeriod(Date.parse(breach.expected) - now)}
    </p>
  );
}

/** A component of its own, so that the clock does not draw the picture again. */
export function Since({ metric: { status_since: since, status_since_before: before } }: Pick<Row, 'metric'>) {
  return (
    <time dateTime={since} title={exactTime(since, zone.value)}>
      {forText(Date.parse(since), serviceTime.value, before)}
    </time>
  );
}
