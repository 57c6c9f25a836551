import type { Application } from '../../../src/dashboard/contract/applications.js';
import type { Forecast } from '../../../src/dashboard/contract/forecast.js';
import type { Metrics } from '../../../src/dashboard/contract/metrics.js';
import { metricPath } from '../frame/routes.js';
import { Age, Status } from '../marks/status.jsx';
import { Trend } from '../marks/trend.jsx';
import { serviceTime } from '../service/clock.js';
import { likelyText, nextBreach } from '../words/likely.js';
import { minuteTime } from '../words/time.js';
import { CAUSE_LABELS, keepUnits, LIGHT_LABELS, percent } from '../words/words.js';
import { zone } from '../words/zone.js';
import { sentence } from './sentence.js';

/** What is the matter, since when, why, and whom to ask. */
export function Hero({
  facts,
  metrics,
  forecasts,
}: {
  facts: Application;
  metrics: Metrics | undefined;
  forecasts: Forecast | undefined;
}) {
  const { light, attention, last_known } = facts;
  return (
    <section class="hero" aria-labelledby="headline">
      <div>
        <p class="kicker">
          <Status of={light}>
            {LIGHT_LABELS[light]}
            {attention?.since && (
              <Age at={attention.since} before={attention.since_before ? ' for more than ' : ' for '} />
            )}
          </Status>
          {attention?.since && !attention.since_before && (
            <span class="quiet">since {minuteTime(attention.since, zone.value)}</span>
          )}
          {last_known && (
            <span class="quiet">last status {LIGHT_LABELS[last_known.light].toLowerCase()}</span>
          )}
        </p>
        <h1 id="headline">{sentence(facts, serviceTime.value)}</h1>
        <Why facts={facts} />
        {metrics && forecasts && <Next metrics={metrics} forecasts={forecasts} />}
      </div>
      <About facts={facts} />
      <Facts facts={facts} metrics={metrics} />
    </section>
  );
}

function Why({ facts: { application, attention, reason } }: { facts: Application }) {
  if (!attention) return <p class="reason">{keepUnits(reason)}</p>;
  const { why, cause, metric, run } = attention;
  return (
    <p class="reason">
      {why && (
        <>
          <b>{cause ? CAUSE_LABELS[cause] : 'Why'}:</b> {keepUnits(why)}{' '}
        </>
      )}
      {keepUnits(reason)}{' '}
      {metric && run && (
        <>
          See <a href={metricPath(application, metric.name)}>{metric.display_name}</a>, or run{' '}
          <a href={run.url}>{run.run_name}</a> in MLflow.
        </>
      )}
    </p>
  );
}

/** The metric of the application that is expected to cross a limit first. */
function Next({ metrics, forecasts }: { metrics: Metrics; forecasts: Forecast }) {
  const now = serviceTime.value;
  const [first] = metrics.metrics
    .flatMap((metric) => {
      const breach = nextBreach(
        forecasts.forecasts.find((each) => each.metric === metric.name),
        now,
      );
      return breach ? [{ metric, ...breach }] : [];
    })
    .sort((a, b) => Date.parse(a.expected) - Date.parse(b.expected));
  if (!first) return null;
  return (
    <p class="reason">
      <b>Next:</b>{' '}
      <a href={metricPath(metrics.application, first.metric.name)}>{first.metric.display_name}</a>.{' '}
      {keepUnits(likelyText(first, now))}
    </p>
  );
}

function About({ facts: { owner, runbook, experiment, last_run } }: { facts: Application }) {
  return (
    <dl class="about">
      {owner && <Entry name="Owner">{owner}</Entry>}
      {runbook && (
        <Entry name="Runbook">
          <a href={runbook}>{runbookName(runbook)}</a>
        </Entry>
      )}
      {experiment && (
        <Entry name="MLflow">
          <a href={experiment.url}>{experiment.name}</a>
        </Entry>
      )}
      {last_run && (
        <Entry name="Last run">
          <a href={last_run.url}>{last_run.run_name}</a>, <Age at={last_run.at} after=" ago" />
        </Entry>
      )}
    </dl>
  );
}

/** The end of its address, which says more than the host. */
function runbookName(address: string): string {
  const { hostname, pathname } = new URL(address);
  const [last] = pathname.split('/').filter(Boolean).slice(-1);
  try {
    return last === undefined ? hostname : decodeURIComponent(last);
  } catch {
    return hostname;
  }
}

function Entry({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ facts, metrics }: { facts: Application; metrics: Metrics | undefined }) {
  const hours = (Date.parse(facts.to) - Date.parse(facts.from)) / 3_600_000;
  const { pass_rate, pass_rate_trend: trend, total, evaluated, running, failed } = facts;
  const judged = metrics?.metrics.filter(({ status }) => status !== 'unmonitored').length;
  return (
    <dl class="facts wide">
      <div>
        <dt>pass rate{trend !== null && <Trend points={trend} hours={hours} />}</dt>
        <dd>{percent(pass_rate)}</dd>
      </div>
      <div>
        <dt>
          {total === 1 ? 'run' : 'runs'} in {hours} h, {evaluated} with a threshold
        </dt>
        <dd>{total.toLocaleString('en')}</dd>
      </div>
      <div>
        <dt>running, not counted yet</dt>
        <dd>{running.toLocaleString('en')}</dd>
      </div>
      <div>
        <dt>{failed === 1 ? 'run' : 'runs'} failed</dt>
        <dd>{failed.toLocaleString('en')}</dd>
      </div>
      <div>
        <dt>metrics have a threshold</dt>
        <dd>{metrics && judged !== undefined ? `${judged} of ${metrics.metrics.length}` : '–'}</dd>
      </div>
    </dl>
  );
}
