import { useState } from 'preact/hooks';
import type { ListedRun, Runs as RunsResponse } from '../../../src/dashboard/contract/runs.js';
import { Panel } from '../frame/panel.jsx';
import { metricPath } from '../frame/routes.js';
import { Age, State, Status } from '../marks/status.jsx';
import { readAddress, useApi } from '../service/read-api.js';
import { valueText } from '../words/quantity.js';
import { clockTime, minuteTime } from '../words/time.js';
import { keepUnits } from '../words/words.js';
import { zone } from '../words/zone.js';
import { childrenText, durationText, endText, ignoredText, isRunning, whyText } from './run-words.js';

const PAGE = 20;

/** The newest runs of an application. */
export function Runs({ application }: { application: string }) {
  return (
    <section aria-labelledby="runs">
      <div class="section-head">
        <h2 id="runs">Runs of the last 30 days, newest first</h2>
        <p class="quiet">
          <a href={readAddress('/api/v1/runs', { application, format: 'csv' })} download>
            CSV
          </a>{' '}
          <a href={readAddress('/api/v1/runs', { application, format: 'parquet' })} download>
            Parquet
          </a>
        </p>
      </div>
      <table class="runs">
        <thead>
          <tr>
            <th>Status</th>
            <th>Run in MLflow</th>
            <th>Started</th>
            <th>Duration</th>
            <th>By</th>
            <th>Worst metric</th>
            <th>Why</th>
          </tr>
        </thead>
        <Page query={{ application, limit: PAGE }} more="Show older runs" />
      </table>
    </section>
  );
}

type Query = Parameters<typeof readAddress<'/api/v1/runs'>>[1];

/** One page of runs, and on request the one after it. */
function Page({ query, more }: { query: Query; more: string }) {
  const page = useApi('/api/v1/runs', query);
  const [open, setOpen] = useState(false);
  const next = page.data?.next ?? null;
  return (
    <>
      {page.data && page.data.runs.length > 0 ? (
        <tbody>
          {page.data.runs.map((run) => (
            <Run key={run.run_id} run={run} query={query} />
          ))}
        </tbody>
      ) : (
        <tbody>
          <tr>
            <td colSpan={7}>
              <Panel of={page} name="The list of runs" height={300}>
                {(_: RunsResponse) => <p>There are no runs in this time.</p>}
              </Panel>
            </td>
          </tr>
        </tbody>
      )}
      {next !== null && open && <Page query={{ ...query, cursor: next }} more={more} />}
      {next !== null && !open && (
        <tbody>
          <tr>
            <td colSpan={7}>
              <button type="button" onClick={() => setOpen(true)}>
                {more}
              </button>
            </td>
          </tr>
        </tbody>
      )}
    </>
  );
}

function Run({ run, query }: { run: ListedRun; query: Query }) {
  const [open, setOpen] = useState(false);
  const { run_id, run_name, url, at, user_id, worst_metric: worst, children } = run;
  const isChild = query.parent !== undefined;
  return (
    <>
      <tr class={isChild ? 'child' : ''}>
        <td>
          <RunStatus run={run} />
        </td>
        <td class="name">
          <a href={url}>{run_name}</a>
        </td>
        <td class="started">
          <time dateTime={at} title={minuteTime(at, zone.value)}>
            {clockTime(at, zone.value)}
          </time>{' '}
          <span class="quiet">
            <Age at={at} after=" ago" />
          </span>
        </td>
        <td class="quiet">{durationText(run)}</td>
        <td class="quiet">{user_id}</td>
        <td class="worst">
          {worst && (
            <>
              <a href={metricPath(query.application, worst.name)}>{worst.display_name}</a>{' '}
              <b>{keepUnits(valueText(worst))}</b>
            </>
          )}
        </td>
        <td class="quiet">
          {keepUnits(whyText(run))}
          {children && (
            <>
              {' '}
              <button type="button" class="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
                {childrenText(children)}
              </button>
              {ignoredText(children)}
            </>
          )}
        </td>
      </tr>
      {open && <Children query={{ ...query, parent: run_id }} />}
    </>
  );
}

/** A run without any judged metric is not said to have a status. */
function RunStatus({ run }: { run: ListedRun }) {
  if (isRunning(run)) return <State name="Running" />;
  const end = endText(run);
  if (end !== null && run.status === 'unmonitored') return <State name={end} />;
  return (
    <>
      <Status of={run.status} />
      {end && <span class="quiet"> {end}</span>}
    </>
  );
}

/** The child runs of a run, in rows of the same table. */
function Children({ query: { cursor: _, ...query } }: { query: Query }) {
  const page = useApi('/api/v1/runs', { ...query, limit: 200 });
  if (!page.data) {
    return (
      <tr class="child">
        <td colSpan={7}>
          <Panel of={page} name="The list of child runs" height={40}>
            {() => null}
          </Panel>
        </td>
      </tr>
    );
  }
  return (
    <>
      {page.data.runs.map((run) => (
        <Run key={run.run_id} run={run} query={query} />
      ))}
      {page.data.next !== null && (
        <tr class="child">
          <td colSpan={7}>Only the newest 200 child runs are listed.</td>
        </tr>
      )}
    </>
  );
}
