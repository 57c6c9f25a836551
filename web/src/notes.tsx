import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import { formatDate } from '../../src/domain/format.js';
import { Age, Shape } from './parts.jsx';
import { problem } from './state.js';
import { daysText } from './words.js';

/** What is not as it should be with the numbers themselves; nothing while all is well. */
export function Notes({ now }: { now: PlatformCurrent }) {
  const reading = now.progress.some(({ kind }) => kind === 'bootstrap');
  return (
    <div class="notes" role="status">
      {problem.value && (
        <Note>
          <b>The service does not answer.</b> {problem.value.message}. These are the numbers of{' '}
          <Age at={new Date(problem.value.since).toISOString()} after=" ago" />; it is asked again every half
          minute.
        </Note>
      )}
      {now.progress.map((each) => (
        <Progress key={each.run} each={each} />
      ))}
      {now.stale && !reading && <Stale now={now} />}
      {now.partial && <Partial lagging={now.lagging} />}
      <Catalog now={now} />
      {now.all_unmonitored && (
        <Note>
          <b>No metric has a threshold yet,</b> so nothing can be judged. <code>mlflow-monitor suggest</code>{' '}
          writes thresholds from the history of your metrics into a file to edit;{' '}
          <code>THRESHOLDS_API_URL=file:…</code> reads it.
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

function Stale({ now: { last_finished, last_failure } }: { now: PlatformCurrent }) {
  return (
    <Note>
      <b>These numbers are not current.</b>{' '}
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
          The last try, <Age at={last_failure.at} after=" ago" />, failed: {last_failure.message}
        </>
      )}
    </Note>
  );
}

/** What is not as it should be with the thresholds. */
export function Catalog({ now: { catalog_outage, catalog_refused } }: { now: PlatformCurrent }) {
  return (
    <>
      {catalog_outage && <Outage {...catalog_outage} />}
      {catalog_refused > 0 && (
        <Note>
          <b>
            {catalog_refused === 1
              ? '1 item of the catalog was refused,'
              : `${catalog_refused} items of the catalog were refused,`}
          </b>{' '}
          as {catalog_refused === 1 ? 'it' : 'they'} cannot be used; the log says why. All others serve.
        </Note>
      )}
    </>
  );
}

function Outage({ as_of, reason, waiting }: NonNullable<PlatformCurrent['catalog_outage']>) {
  if (as_of === null) {
    return (
      <Note>
        <b>Judging waits for the catalog:</b> {reason}, and has said nothing yet.
      </Note>
    );
  }
  return (
    <Note>
      <b>Thresholds as of {formatDate(Date.parse(as_of))}:</b> {reason}. Judging goes on by these.
      {waiting && ' Runs with metrics or experiments that it was never asked for wait to be judged.'}
    </Note>
  );
}

const NAMED = 3;

function Partial({ lagging }: { lagging: PlatformCurrent['lagging'] }) {
  const more = lagging.length - NAMED;
  return (
    <Note>
      <b>
        {lagging.length === 1 ? 'One experiment lags behind:' : `${lagging.length} experiments lag behind:`}
      </b>{' '}
      {lagging.slice(0, NAMED).map(({ experiment_id, name, read_until, message }, i) => (
        <span key={experiment_id}>
          {i > 0 && '; '}
          {name}
          {read_until && (
            <>
              , read until <Age at={read_until} after=" ago" />
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

const WORDS: Partial<Record<PlatformCurrent['progress'][number]['kind'], string>> = {
  bootstrap: 'Reading the history from MLflow',
  backfill: 'A backfill is at work',
};

export function Progress({ each }: { each: PlatformCurrent['progress'][number] }) {
  const { run, kind, days_done, days_all } = each;
  const label = WORDS[kind] ?? kind;
  return (
    <div class="progress">
      <p>
        <b>{label}.</b>{' '}
        {days_all === null ? 'It begins.' : `${days_done} of ${daysText(days_all)} are in, the newest first.`}
      </p>
      <progress aria-label={`${label}, ${run}`} max={days_all ?? 1} value={days_done} />
    </div>
  );
}
