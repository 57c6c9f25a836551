import type { ApplicationNow, Attention, PlatformCurrent } from '../../../src/dashboard/contract.js';
import { formatQuantity, formatWithUnit } from '../../../src/domain/format.js';
import { incidentPath } from '../../../src/domain/page-paths.js';
import { openIncidents } from '../alerts/open-incidents.js';
import { Told } from '../alerts/told.jsx';
import { changeQuery, queryOf } from '../frame/router.js';
import { applicationPath, metricPath } from '../frame/routes.js';
import { RunsPerDay, Sparkline } from '../marks/sparkline.jsx';
import { Age, Status } from '../marks/status.jsx';
import { alerts } from '../service/events.js';
import { CAUSE_LABELS, keepUnits, LIGHT_LABELS, plural, runsText } from '../words/words.js';

/** Rows that are shown until the reader asks for all. */
const ROWS = 20;

/** The applications that need attention: metric, value and limit, since when, and why. */
export function NeedsAttention({
  listed,
  current,
}: {
  listed: readonly Attention[];
  current: PlatformCurrent;
}) {
  if (listed.length === 0) return null;
  const all = queryOf('attention') === 'all';
  const shown = all ? listed : listed.slice(0, ROWS);
  return (
    <section aria-labelledby="needs-attention">
      <h2 id="needs-attention">Needs attention</h2>
      <ul class="attention">
        {shown.map((each) => (
          <Row key={each.application} each={each} current={current} />
        ))}
      </ul>
      {listed.length > ROWS && (
        <button
          type="button"
          class="fold"
          aria-expanded={all}
          onClick={() => changeQuery({ attention: all ? null : 'all' })}
        >
          {all ? `Show only the first ${ROWS}` : `Show all ${listed.length}`}
        </button>
      )}
    </section>
  );
}

function Row({ each, current }: { each: Attention; current: PlatformCurrent }) {
  const { application, light, metric, run, since } = each;
  const totals = current.applications.find((other) => other.application === application);
  return (
    <li>
      <div class="when">
        <Status of={light} />
        {since && <Age at={since} before={each.since_before ? 'for more than ' : 'for '} />}
      </div>
      <div class="what">
        <h3>
          <a href={applicationPath(application)}>{application}</a>{' '}
          <span>
            {metric ? (
              <a href={metricPath(application, metric.name)}>{metric.display_name}</a>
            ) : (
              subject(each)
            )}
          </span>
        </h3>
        <p>
          <Cause each={each} />
          {keepUnits(each.why ?? each.reason)}
        </p>
        <p class="evidence">
          {each.owner && <span>{each.owner}</span>}
          {totals && <span>{share(each, totals)}</span>}
          {run && (
            <a href={run.url} title={`Open ${run.run_name} in MLflow`}>
              {run.run_name}
            </a>
          )}
        </p>
        <OpenAlert application={application} />
      </div>
      <div class="value">{metric ? <Value metric={metric} /> : <LastRun each={each} />}</div>
      <div class="picture">
        {metric ? (
          <Sparkline metric={metric} shown={run?.at} to={current.to} />
        ) : (
          totals && <RunsPerDay days={totals.days} dates={current.days} />
        )}
      </div>
    </li>
  );
}

/** Who was notified of the worst alert of an application. */
function OpenAlert({ application }: { application: string }) {
  const [worst, ...others] = openIncidents(alerts.value.data, application);
  if (!worst) return null;
  const more = others.filter(({ inhibited_by }) => inhibited_by === null).length;
  return (
    <p class="evidence">
      <a class="told" href={incidentPath(worst.id)}>
        <Told of={worst} />
      </a>
      {more > 0 && <span>{plural(more, 'more alert')}</span>}
    </p>
  );
}

/** The cause in a few words, linked to the details. */
function Cause({ each: { cause, explanation } }: { each: Attention }) {
  if (cause === null) return null;
  return (
    <span class="cause">
      <a href={explanation?.slice(1)} title="Details as JSON">
        {CAUSE_LABELS[cause]}
      </a>
      {': '}
    </span>
  );
}

type Metric = NonNullable<Attention['metric']>;

function subject({ light }: Attention): string {
  return light === 'no_data' ? 'no new runs' : 'failed runs';
}

/** The value that is beyond its limit, and the limit. */
function Value({ metric }: { metric: Metric }) {
  const { status, value, unit, higher_is_better, invalid_kind } = metric;
  const limit = status === 'critical' ? metric.critical_threshold : metric.warning_threshold;
  const beyond = limit !== null && `${higher_is_better ? 'below' : 'above'} ${formatWithUnit(limit, unit)}`;
  if (value === null) {
    return (
      <>
        <b class="invalid">{invalid_kind === 'nan' ? 'NaN' : invalid_kind}</b>
        <span>no valid value</span>
      </>
    );
  }
  return (
    <>
      <b class={status}>{formatQuantity(value, unit, limit).replace(' ', '\u00a0')}</b>
      {beyond && <span title={`${status} limit`}>{beyond}</span>}
    </>
  );
}

function LastRun({ each: { run, light } }: { each: Attention }) {
  if (light !== 'no_data' || !run) return <b>–</b>;
  return (
    <>
      <b class="no_data">
        <Age at={run.at} />
      </b>
      <span>since the last run</span>
    </>
  );
}

/** `18 of 23 runs critical` */
function share({ metric }: Attention, { total, last_known }: ApplicationNow): string {
  if (last_known) return `previously ${LIGHT_LABELS[last_known.light].toLowerCase()}`;
  if (!metric) return runsText(total);
  const status = (['critical', 'invalid', 'warning'] as const).find((each) => metric[each] > 0) ?? 'warning';
  return `${metric[status]} of ${runsText(total)} ${status}`;
}
