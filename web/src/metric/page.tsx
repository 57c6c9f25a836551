import { useMemo } from 'preact/hooks';
import { findOutliers } from '../../../src/domain/outliers.js';
import { Breadcrumb } from '../frame/breadcrumb.jsx';
import { NoSuch } from '../frame/no-such.jsx';
import { Panel, Parts } from '../frame/panel.jsx';
import { queryOf } from '../frame/router.js';
import { useTitle } from '../frame/title.js';
import { Notes } from '../platform/notes.jsx';
import { serviceTime } from '../service/clock.js';
import { platformCurrent } from '../service/events.js';
import { useApi } from '../service/read-api.js';
import { ChartSection } from './chart-section.jsx';
import { Export } from './export.jsx';
import { Hero } from './hero.jsx';
import { How } from './how.jsx';
import { PointsTable } from './points-table.jsx';
import { metricSentence } from './sentence.js';
import { shownSpan, spanQuery } from './span.js';
import { WhySection } from './why.jsx';

/** The days in which a metric is looked for. */
const DAYS = 90;

/** `/app/:name/metric/:metric`: one metric over its runs, against its limits. */
export function MetricPage({ application, metric }: { application: string; metric: string }) {
  const current = platformCurrent.value;
  const span = shownSpan(queryOf, serviceTime.value);
  const facts = useApi('/api/v1/metrics', { application, metric, days: DAYS });
  const owner = useApi('/api/v1/application', { application });
  const series = useApi('/api/v1/series', { application, metric, ...spanQuery(span) });
  const other = queryOf('with');
  const compared = useApi(
    '/api/v1/series',
    other === null ? null : { application: other, metric, ...spanQuery(span) },
  );
  const versions = useApi('/api/v1/model-versions', { application, metric });
  const forecasts = useApi('/api/v1/forecast', { application, metric });
  const forecast = forecasts.data?.forecasts[0];
  const now = facts.data?.metrics[0];
  const { columns } = series.data ?? {};
  const outliers = useMemo(() => (columns ? findOutliers(columns.value, columns.forecast) : null), [columns]);
  useTitle(now ? `${metricSentence(now)} · ${application}` : `${metric} · ${application}`);
  if (facts.failure?.status === 404 || (facts.data && !now)) {
    return <NoSuch what="metric" name={metric} application={application} />;
  }
  return (
    <>
      <Breadcrumb application={application} metric={now?.display_name ?? metric} />
      <Parts after={[facts, owner, forecasts]}>
        {current && <Notes current={current} />}
        <Panel of={facts} name="The state of the metric" height={190} phone={330}>
          {() => now && <Hero metric={now} attention={owner.data?.attention} forecast={forecast} />}
        </Panel>
        <ChartSection
          series={series}
          compared={compared}
          versions={versions}
          outliers={outliers}
          forecast={forecast?.columns ?? null}
          span={span}
          application={application}
          metric={metric}
        />
        {now && series.data && <WhySection metric={now} series={series.data} />}
        {now && series.data && <PointsTable metric={now} series={series.data} outliers={outliers} />}
        {now && series.data && <How metric={now} series={series.data} outliers={outliers} />}
        {series.data && <Export application={application} metric={metric} span={span} />}
      </Parts>
    </>
  );
}
