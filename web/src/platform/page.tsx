import type { PlatformCurrent } from '../../../src/dashboard/contract.js';
import { changeQuery, queryOf } from '../frame/router.js';
import { useTitle } from '../frame/title.js';
import { Age } from '../marks/status.jsx';
import { DataQuality, useQuality } from '../quality/section.jsx';
import { alerts, failure, platformCurrent } from '../service/events.js';
import { isSettled } from '../service/resource.js';
import { clockTime, zoneName } from '../words/time.js';
import { applicationsText } from '../words/words.js';
import { zone } from '../words/zone.js';
import { Applications } from './applications.jsx';
import { filterOf, isFiltering, listed, passes } from './filter.js';
import { FilterBar } from './filter-bar.jsx';
import { headline } from './headline.js';
import { Hero } from './hero.jsx';
import { LikelySoon } from './likely-soon.jsx';
import { NeedsAttention } from './needs-attention.jsx';
import { CatalogNotes, Notes, Progress } from './notes.jsx';

/** `/`: which applications need attention, since when, against which limit, and why. */
export function PlatformPage() {
  const current = platformCurrent.value;
  const quality = useQuality();
  useTitle(current && headline(current).text);
  // Rows would grow or move if the failing checks above them, or who was notified, arrived later.
  if (!current || !isSettled(quality, alerts.value)) return <Loading />;
  if (current.applications.length === 0) return <Empty current={current} />;
  return <Overview current={current} quality={quality} />;
}

type OverviewProps = { current: PlatformCurrent; quality: ReturnType<typeof useQuality> };

function Overview({ current, quality }: OverviewProps) {
  const filter = filterOf(queryOf);
  const all = listed(current.applications, current.needs_attention);
  const shown = all.filter((each) => passes(each, filter));
  const names = new Set(shown.map(({ now }) => now.application));
  const hours = (Date.parse(current.to) - Date.parse(current.from)) / 3_600_000;
  return (
    <>
      <Notes current={current} />
      <Hero current={current} />
      <FilterBar all={all} shown={shown.length} filter={filter} />
      {shown.length === 0 ? (
        <p class="nothing">
          None of the {applicationsText(all.length)} matches.{' '}
          <button type="button" class="plain" onClick={clearFilter}>
            Show all
          </button>
        </p>
      ) : (
        <>
          <NeedsAttention
            listed={current.needs_attention.filter(({ application }) => names.has(application))}
            current={current}
          />
          <LikelySoon
            listed={current.likely_soon.filter(({ application }) => names.has(application))}
            current={current}
          />
          <DataQuality of={quality} />
          <Applications shown={shown} days={current.days} filtered={isFiltering(filter)} />
        </>
      )}
      <footer>
        <span>
          Statuses cover the {hours} h until {clockTime(current.to, zone.value)}{' '}
          {zoneName(current.to, zone.value)}, the end of the current hour. {current.scope.join(' ')}
        </span>
        <a href="api/v1/platform/current">This data as JSON</a>
      </footer>
    </>
  );
}

const clearFilter = () => changeQuery({ q: null, status: null, owner: null });

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
            ? 'The monitored experiments in MLflow have no runs from the last 30 days. Log a run, or check EXPERIMENT_INCLUDE and EXPERIMENT_EXCLUDE.'
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

/** Of the size of the page to come, so that nothing moves when it arrives. */
function Loading() {
  if (failure.value) {
    return (
      <section class="empty" role="alert">
        <h1>The service is unavailable</h1>
        <p>{failure.value.message}. Retrying every 30 seconds.</p>
      </section>
    );
  }
  return (
    <div class="loading" role="status">
      <span class="hidden">Loading</span>
      <div class="skeleton hero-size" />
      <div class="skeleton list-size" />
    </div>
  );
}
