import { useEffect } from 'preact/hooks';
import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import { Applications } from './applications.jsx';
import { Hero } from './hero.jsx';
import { NeedsAttention } from './needs-attention.jsx';
import { CatalogNotes, Notes, Progress } from './notes.jsx';
import { Age } from './parts.jsx';
import { failure, platformCurrent, streaming } from './state.js';
import { clockTime, headline } from './text.js';

export function App() {
  const current = platformCurrent.value;
  useEffect(() => {
    if (current) document.title = `${headline(current)} · mlflow-monitor`;
  }, [current]);
  return (
    <>
      <Header current={current} />
      <main>{current ? <Page current={current} /> : <Loading />}</main>
    </>
  );
}

function Header({ current }: { current: PlatformCurrent | null }) {
  return (
    <header>
      <a class="brand" href="/">
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <path d="M2 14h4l2.5-8 4.5 13 3-9 1.5 4H22" />
        </svg>
        mlflow-monitor
      </a>
      <nav aria-label="Pages">
        <a href="/" aria-current="page">
          Platform
        </a>
        <a href="/admin/queues">Queues</a>
        <a href="/docs">API</a>
      </nav>
      {current && (
        <p class={current.stale || failure.value ? 'freshness late' : 'freshness'}>
          <span class="pulse" aria-hidden="true" />
          <span>
            {current.last_finished ? (
              <Age at={current.last_finished} before="MLflow last read " after=" ago" />
            ) : (
              'MLflow not read yet'
            )}
            {!streaming.value && ', polling every 30 s'}
          </span>
        </p>
      )}
    </header>
  );
}

function Page({ current }: { current: PlatformCurrent }) {
  if (current.applications.length === 0) return <Empty current={current} />;
  const hours = (Date.parse(current.to) - Date.parse(current.from)) / 3_600_000;
  return (
    <>
      <Notes current={current} />
      <Hero current={current} />
      <NeedsAttention current={current} />
      <Applications current={current} />
      <footer>
        <span>
          Statuses cover the {hours} h until {clockTime(current.to)} UTC, the end of the current hour.
        </span>
        <a href="/api/v1/platform/current">This data as JSON</a>
      </footer>
    </>
  );
}

function Empty({ current }: { current: PlatformCurrent }) {
  const [first] = current.progress;
  return (
    <section class="empty">
      <h1>{first ? 'The first runs will appear soon' : 'There is nothing to show yet'}</h1>
      {first ? (
        <Progress each={first} />
      ) : (
        <p>
          {current.last_finished
            ? 'The monitored experiments in MLflow have no runs from the last 30 days.'
            : 'MLflow has not been read yet. The first runs will appear here automatically.'}
        </p>
      )}
      {current.last_failure && (
        <p>
          The last attempt, <Age at={current.last_failure.at} after=" ago" />, failed:{' '}
          {current.last_failure.message}
        </p>
      )}
      <CatalogNotes current={current} />
    </section>
  );
}

function Loading() {
  if (!failure.value) {
    return (
      <p class="waiting" aria-busy="true">
        Loading…
      </p>
    );
  }
  return (
    <section class="empty" role="alert">
      <h1>The service is unavailable</h1>
      <p>{failure.value.message}. Retrying every 30 seconds.</p>
    </section>
  );
}
