import type { PlatformCurrent } from '../../../src/dashboard/contract.js';
import { formatDate } from '../../../src/domain/format.js';
import { Age, Shape } from '../marks/status.jsx';
import { failure } from '../service/events.js';
import { daysText } from '../words/words.js';

/** Problems with the data itself, such as stale data or a catalog outage; empty if there are none. */
export function Notes({ current }: { current: PlatformCurrent }) {
  const bootstrapping = current.progress.some(({ kind }) => kind === 'bootstrap');
  return (
    <div class="notes" role="status">
      {failure.value && (
        <Note>
          <b>The service is unavailable.</b> {failure.value.message}.{' '}
          <Age at={new Date(failure.value.since).toISOString()} before="Requests have failed for " />; this
          page shows the last data received. Retrying every 30 seconds.
        </Note>
      )}
      {current.progress.map((each) => (
        <Progress key={each.run} each={each} />
      ))}
      {current.stale && !bootstrapping && <Stale current={current} />}
      {current.partial && <Partial lagging={current.lagging} />}
      <CatalogNotes current={current} />
      {current.notes.map((text) => (
        <Note key={text}>{text}</Note>
      ))}
      {current.all_unmonitored && (
        <Note>
          <b>No metric has a threshold yet,</b> so nothing can be evaluated.{' '}
          <code>mlflow-monitor suggest</code> derives thresholds from the history of your metrics and writes
          them to a file for you to edit. Set <code>THRESHOLDS_API_URL=file:…</code> to use it.
        </Note>
      )}
    </div>
  );
}

function Note({ children }: { children: preact.ComponentChildren }) {
  return (
    <p class="note">
      <Shape of="warning" />
      <span>{children}</span>
    </p>
  );
}

function Stale({ current: { last_finished, last_failure } }: { current: PlatformCurrent }) {
  return (
    <Note>
      <b>This data is out of date.</b>{' '}
      {last_finished ? (
        <>
          MLflow was last read <Age at={last_finished} after=" ago" />.
        </>
      ) : (
        'MLflow has not been read yet.'
      )}
      {last_failure && (
        <>
          {' '}
          The last attempt, <Age at={last_failure.at} after=" ago" />, failed: {last_failure.message}
        </>
      )}
    </Note>
  );
}

/** Problems with the catalog of thresholds. */
export function CatalogNotes({ current }: { current: PlatformCurrent }) {
  const { catalog_outage, catalog_refused } = current;
  return (
    <>
      {catalog_outage && <Outage {...catalog_outage} />}
      {catalog_refused > 0 && (
        <Note>
          <b>
            {catalog_refused === 1
              ? '1 catalog item was rejected'
              : `${catalog_refused} catalog items were rejected`}
          </b>{' '}
          because {catalog_refused === 1 ? 'it' : 'they'} cannot be used. The log has the reasons. All other
          items are in use.
        </Note>
      )}
    </>
  );
}

function Outage({ as_of, reason, waiting }: NonNullable<PlatformCurrent['catalog_outage']>) {
  if (as_of === null) {
    return (
      <Note>
        <b>Runs cannot be evaluated yet:</b> {reason}, and no thresholds have been received so far.
      </Note>
    );
  }
  return (
    <Note>
      <b>Thresholds as of {formatDate(Date.parse(as_of))}:</b> {reason}. These thresholds stay in use.
      {waiting &&
        ' Runs with metrics or experiments not yet requested from the catalog are evaluated once it responds.'}
    </Note>
  );
}

const MAX_LISTED = 3;

function Partial({ lagging }: { lagging: PlatformCurrent['lagging'] }) {
  const more = lagging.length - MAX_LISTED;
  return (
    <Note>
      <b>
        {lagging.length === 1 ? 'One experiment lags behind:' : `${lagging.length} experiments lag behind:`}
      </b>{' '}
      {lagging.slice(0, MAX_LISTED).map(({ experiment_id, name, read_until, message }, i) => (
        <span key={experiment_id}>
          {i > 0 && '; '}
          {name}
          {read_until && (
            <>
              , read up to <Age at={read_until} after=" ago" />
            </>
          )}
          {message && ` (MLflow: ${message})`}
        </span>
      ))}
      {more > 0 && `; and ${more} more`}. {lagging.length === 1 ? 'Its' : 'Their'} newest runs are missing
      here.
    </Note>
  );
}

const LABELS: Partial<Record<PlatformCurrent['progress'][number]['kind'], string>> = {
  bootstrap: 'Reading the run history from MLflow',
  backfill: 'Backfill in progress',
};

export function Progress({ each }: { each: PlatformCurrent['progress'][number] }) {
  const { run, kind, days_done, days_all } = each;
  const label = LABELS[kind] ?? kind;
  return (
    <div class="progress">
      <p>
        <b>{label}.</b>{' '}
        {days_all === null ? 'Starting.' : `${days_done} of ${daysText(days_all)} done, the newest first.`}
      </p>
      <progress aria-label={`${label}, ${run}`} max={days_all ?? 1} value={days_done} />
    </div>
  );
}
