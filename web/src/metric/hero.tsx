import type { Application } from '../../../src/dashboard/contract/applications.js';
import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import { Since } from '../application/metric-row.jsx';
import { Age, Status } from '../marks/status.jsx';
import { serviceTime } from '../service/clock.js';
import { likelyText, nextBreach } from '../words/likely.js';
import { differenceText, isSilent, valueText } from '../words/quantity.js';
import { CAUSE_LABELS, keepUnits, runsText, STATUS_LABELS } from '../words/words.js';
import { limitName, metricSentence, trendText } from './sentence.js';

/** How the metric is, since when and why, and the numbers behind it. */
export function Hero({
  metric,
  attention,
  forecast,
}: {
  metric: MetricNow;
  /** Of its application. */
  attention: Application['attention'] | undefined;
  forecast: Forecast['forecasts'][number] | undefined;
}) {
  const { status, description, name, display_name } = metric;
  const breach = nextBreach(forecast, serviceTime.value);
  const isCause = attention?.metric?.name === name;
  return (
    <section class="hero" aria-labelledby="headline">
      <div>
        <p class="kicker">
          {isSilent(metric.light_span) ? (
            <Status of="no_data">
              <Age at={metric.run.at} before="Not logged for " />
              {status !== 'unmonitored' && `, ${STATUS_LABELS[status].toLowerCase()} before`}
            </Status>
          ) : (
            <Status of={status}>
              {STATUS_LABELS[status]} {status !== 'unmonitored' && <Since metric={metric} />}
            </Status>
          )}
          {display_name !== name && <code class="quiet">{name}</code>}
        </p>
        <h1 id="headline">{metricSentence(metric)}</h1>
        {isCause && attention.why && (
          <p class="reason">
            <b>{attention.cause ? CAUSE_LABELS[attention.cause] : 'Why'}:</b> {keepUnits(attention.why)}
          </p>
        )}
        {breach && (
          <p class="reason">
            <b>Next:</b> {keepUnits(likelyText({ ...breach, metric }, serviceTime.value))}
          </p>
        )}
        {description && <p class="reason">{description}</p>}
      </div>
      <Facts metric={metric} />
    </section>
  );
}

function Facts({ metric }: { metric: MetricNow }) {
  const { status, value, unit, run, limit, distance, change, trend, light_span, mean } = metric;
  const total = Object.values(light_span).reduce((sum, count) => sum + count, 0);
  const bad = (['critical', 'invalid', 'warning'] as const).find((each) => light_span[each] > 0) ?? 'healthy';
  return (
    <dl class="facts wide">
      <div>
        <dt>
          <a href={run.url}>{run.run_name}</a>, <Age at={run.at} after=" ago" />
        </dt>
        <dd class={isSilent(light_span) || status === 'healthy' || status === 'unmonitored' ? '' : status}>
          {keepUnits(valueText(metric, limit))}
        </dd>
      </div>
      {limit !== null && status !== 'unmonitored' && value !== null && (
        <div>
          <dt>
            to the {limitName(metric)} limit of {keepUnits(valueText({ ...metric, value: limit }))}
          </dt>
          <dd>{keepUnits(differenceText(distance, unit))}</dd>
        </div>
      )}
      <div>
        <dt>since the run before</dt>
        <dd>{keepUnits(differenceText(change, unit))}</dd>
      </div>
      <div>
        <dt>
          a day, over 7 days{mean !== null && ` (mean ${keepUnits(valueText({ ...metric, value: mean }))})`}
        </dt>
        <dd>{trendText(trend, unit)}</dd>
      </div>
      <div>
        <dt>
          of {runsText(total)} in 24 h {bad === 'invalid' ? 'not a number' : bad}
        </dt>
        <dd>{light_span[bad]}</dd>
      </div>
    </dl>
  );
}
