import { useEffect, useRef } from 'preact/hooks';
import { ApplicationPage } from '../application/page.jsx';
import { LoginPage } from '../login/page.jsx';
import { PlatformPage } from '../platform/page.jsx';
import { Header } from './header.jsx';
import { lazy } from './lazy.jsx';
import { Boundary } from './panel.jsx';
import { page } from './router.js';
import type { Page } from './routes.js';

/** The page that the address names, in its frame. */
export function App() {
  const shown = page.value;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // After a link was followed, the keyboard continues at the beginning of the new page.
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [shown]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Header />
      <main id="main" ref={main} tabIndex={-1}>
        <Boundary key={JSON.stringify(shown)} name="This page">
          <Content shown={shown} />
        </Boundary>
      </main>
    </>
  );
}

/** In files of its own: only this page needs the chart library. */
const MetricPage = lazy<{ application: string; metric: string }>(() =>
  import('../metric/page.jsx').then((module) => module.MetricPage),
);

/** Most visits need no alerts. */
const AlertsPage = lazy<{ incident: string | null }>(() =>
  import('../alerts/page.jsx').then((module) => module.AlertsPage),
);

function Content({ shown }: { shown: Page }) {
  if (shown.kind === 'platform') return <PlatformPage />;
  if (shown.kind === 'login') return <LoginPage />;
  if (shown.kind === 'alerts') return <AlertsPage incident={shown.incident} />;
  if (shown.kind === 'application') return <ApplicationPage application={shown.application} />;
  if (shown.kind === 'metric') return <MetricPage {...shown} />;
  return <NoPage />;
}

function NoPage() {
  return (
    <section class="empty">
      <h1>There is no such page</h1>
      <p>
        The address is not one of this service. <a href=".">See all applications</a>
      </p>
    </section>
  );
}
