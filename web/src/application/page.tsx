import type { Application } from '../../../src/dashboard/contract/applications.js';
import { ApplicationAlerts } from '../alerts/summary.jsx';
import { Breadcrumb } from '../frame/breadcrumb.jsx';
import { NoSuch } from '../frame/no-such.jsx';
import { Panel, Parts } from '../frame/panel.jsx';
import { queryOf } from '../frame/router.js';
import { useTitle } from '../frame/title.js';
import { Notes } from '../platform/notes.jsx';
import { DataQuality, useQuality } from '../quality/section.jsx';
import { serviceTime } from '../service/clock.js';
import { alerts, platformCurrent } from '../service/events.js';
import { useApi } from '../service/read-api.js';
import { Hero } from './hero.jsx';
import { MetricsSection } from './metrics.jsx';
import { Runs } from './runs.jsx';
import { sentence } from './sentence.js';

export const RANGES = ['7', '14', '30', '90'];
const DEFAULT_RANGE = '14';

/** `/app/:name`: is the application healthy, which metric is not, since when and why, and its recent runs. */
export function ApplicationPage({ application }: { application: string }) {
  const current = platformCurrent.value;
  const asked = queryOf('days') ?? '';
  const days = RANGES.includes(asked) ? asked : DEFAULT_RANGE;
  const facts = useApi('/api/v1/application', { application });
  const metrics = useApi('/api/v1/metrics', { application, days: Number(days) });
  const forecasts = useApi('/api/v1/forecast', { application });
  const quality = useQuality();
  useTitle(facts.data ? sentence(facts.data, serviceTime.peek()) : application);
  if (facts.failure?.status === 404) return <NoSuch what="application" name={application} />;
  return (
    <>
      <Breadcrumb application={application} />
      <Parts after={[facts, metrics, forecasts, quality, alerts.value]}>
        {current && <Notes current={current} />}
        <Panel of={facts} name="The state of the application" height={216} phone={520}>
          {(data: Application) => <Hero facts={data} metrics={metrics.data} forecasts={forecasts.data} />}
        </Panel>
        <ApplicationAlerts application={application} />
        <DataQuality of={quality} application={application} />
        <MetricsSection of={metrics} forecasts={forecasts.data} application={application} days={days} />
        <Runs application={application} />
      </Parts>
    </>
  );
}
