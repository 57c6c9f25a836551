import { useEffect } from 'preact/hooks';
import { Applications } from './applications.jsx';
import { Hero } from './hero.jsx';
import { NeedsAttention } from './needs-attention.jsx';
import { Catalog, Notes, Progress } from './notes.jsx';
import { Age } from './parts.jsx';
import { current, live, problem } from './state.js';
import { clockTime, sentence } from './words.js';

export function App() {
  const now = current.value;
  useEffect(() => {
    if (now) document.title = `${sentence(now)} · mlflow-monitor`;
  }, [now]);
  return (
    <>
      <Header />
      <main>{now ? <Platform now={now} /> : <Waiting />}</main>
    </>
  );
}

function Header() {
  const now = current.value;
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
      {now && (
        <p class={now.stale || problem.value ? 'freshness late' : 'freshness'}>
          <span class="pulse" aria-hidden="true" />
          <span>
            {now.last_finished ? (
              <Age at={now.last_finished} before="MLflow read " after=" ago" />
            ) : (
              'not read yet'
            )}
            {!live.value && ', asked every 30 s'}
          </span>
        </p>
      )}
    </header>
  );
}

function Platform({ now }: { now: NonNullable<typeof current.value> }) {
  if (now.applications.length === 0) return <Empty now={now} />;
  return (
    <>
      <Notes now={now} />
      <Hero now={now} />
      <NeedsAttention now={now} />
      <Applications now={now} />
      <footer>
        <span>
          Lights are decided over the runs from {clockTime(now.from)} to {clockTime(now.to)} UTC, the end of
          this hour.
        </span>
        <a href="/api/v1/platform/current">These numbers as JSON</a>
      </footer>
    </>
  );
}

function Empty({ now }: { now: NonNullable<typeof current.value> }) {
  const [first] = now.progress;
  return (
    <section class="empty">
      <h1>{first ? 'The first runs are on their way' : 'There is nothing to show yet'}</h1>
      {first ? (
        <Progress each={first} />
      ) : (
        <p>
          {now.last_finished
            ? 'MLflow was read, and holds no run of the last 30 days in the experiments that are watched.'
            : 'MLflow has not been read yet. The first runs appear here by themselves.'}
        </p>
      )}
      {now.last_failure && (
        <p>
          The last try, <Age at={now.last_failure.at} after=" ago" />, failed: {now.last_failure.message}
        </p>
      )}
      <Catalog now={now} />
    </section>
  );
}

function Waiting() {
  if (!problem.value) {
    return (
      <p class="waiting" aria-busy="true">
        Asking the service…
      </p>
    );
  }
  return (
    <section class="empty" role="alert">
      <h1>The service does not answer</h1>
      <p>{problem.value.message}. It is asked again every half minute.</p>
    </section>
  );
}
