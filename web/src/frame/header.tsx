import type { PlatformCurrent } from '../../../src/dashboard/contract.js';
import { firingCount } from '../alerts/open-incidents.js';
import { Age } from '../marks/status.jsx';
import { serviceTime } from '../service/clock.js';
import { alerts, failure, platformCurrent, streaming } from '../service/events.js';
import { zoneName } from '../words/time.js';
import { hasOtherZone, inUtc, showUtc } from '../words/zone.js';
import { page } from './router.js';

export function Header() {
  const current = platformCurrent.value;
  return (
    <header>
      <a class="brand" href=".">
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <path d="M2 14h4l2.5-8 4.5 13 3-9 1.5 4H22" />
        </svg>
        mlflow-monitor
      </a>
      <nav aria-label="Pages">
        <a href="." aria-current={page.value.kind === 'platform' ? 'page' : undefined}>
          Platform
        </a>
        <a href="alerts" aria-current={page.value.kind === 'alerts' ? 'page' : undefined}>
          Alerts <Firing />
        </a>
        <a href="admin/queues">Queues</a>
        <a href="docs">API</a>
      </nav>
      <div class="right">
        {current && <Freshness current={current} />}
        <Zone />
      </div>
    </header>
  );
}

/** How many alerts fire. Its place is kept if none does. */
function Firing() {
  const count = firingCount(alerts.value.data);
  return (
    <span class="count">
      {count > 0 && (
        <>
          {count}
          <span class="hidden"> firing</span>
        </>
      )}
    </span>
  );
}

/** How current the data is, and how the page learns of changes. */
function Freshness({ current }: { current: PlatformCurrent }) {
  const connection = failure.value ? ', reconnecting' : streaming.value ? '' : ', polling every 30 s';
  return (
    <p class={current.stale || failure.value ? 'freshness late' : 'freshness'}>
      <span class="pulse" aria-hidden="true" />
      <span>
        {current.last_finished ? (
          <Age at={current.last_finished} before="MLflow last read " after=" ago" />
        ) : (
          'MLflow not read yet'
        )}
        {connection}
      </span>
    </p>
  );
}

/** Switches between the times of the reader and UTC. */
function Zone() {
  if (!hasOtherZone) return <span class="zone">UTC</span>;
  return (
    <fieldset class="zone">
      <legend class="hidden">Times in</legend>
      {[false, true].map((utc) => (
        <button
          type="button"
          key={String(utc)}
          aria-pressed={inUtc.value === utc}
          onClick={() => showUtc(utc)}
        >
          {utc ? 'UTC' : zoneName(serviceTime.value, undefined)}
        </button>
      ))}
    </fieldset>
  );
}
