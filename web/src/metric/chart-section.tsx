import { useMemo, useState } from 'preact/hooks';
import type { ModelVersions } from '../../../src/dashboard/contract/model-versions.js';
import type { Series } from '../../../src/dashboard/contract/series.js';
import type { Outliers } from '../../../src/domain/outliers.js';
import { limitNotes } from '../application/limit-notes.js';
import { LimitNotes } from '../application/limit-notes-list.jsx';
import { Choice } from '../frame/choice.jsx';
import { Panel } from '../frame/panel.jsx';
import { changeQuery, queryOf, withQuery } from '../frame/router.js';
import { hasOtherLimits } from '../marks/limits.js';
import type { Span } from '../marks/scale.js';
import type { Use } from '../service/resource.js';
import { minuteTime } from '../words/time.js';
import { plural } from '../words/words.js';
import { zone } from '../words/zone.js';
import { Chart, type Place } from './chart.jsx';
import { Compare, chosenLevel, VersionNote } from './compare.jsx';
import { PointLegend } from './legend.jsx';
import { chartModel, type ForecastLines } from './model.js';
import { moved, RANGES, type Shown, spanQuery, withForecast } from './span.js';
import { pointText, Tip } from './tip.jsx';

const HEIGHT = 380;

interface Section {
  readonly series: Use<Series>;
  readonly compared: Use<Series>;
  readonly versions: Use<ModelVersions>;
  readonly forecast: ForecastLines | null;
  readonly outliers: Outliers | null;
  readonly span: Shown;
  readonly application: string;
  readonly metric: string;
}

/** The chart with what chooses its time and its comparison. */
export function ChartSection({
  series,
  compared,
  versions,
  forecast,
  outliers,
  span,
  application,
  metric,
}: Section) {
  const failure = compared.failure ?? (queryOf('version') === null ? null : versions.failure);
  const known = versions.data?.versions ?? NO_VERSIONS;
  return (
    <section aria-labelledby="chart">
      <h2 id="chart" class="hidden">
        Runs over time
      </h2>
      <div class="toolbar">
        <Choice
          label="Time shown"
          name="days"
          values={RANGES}
          chosen={span.range}
          text={(value) => (value === '1' ? '24 h' : `${value} d`)}
        />
        <Moves span={span} />
        <Compare application={application} versions={known} />
      </div>
      <Panel of={series} name="The chart" height={HEIGHT + 90}>
        {(data) => (
          <Drawn
            key={metric}
            data={data}
            other={compared.data}
            versions={known}
            outliers={outliers?.indices ?? NONE}
            forecast={span.range === null ? null : forecast}
            span={span}
          />
        )}
      </Panel>
      {failure && <p class="outdated">The comparison cannot be shown: {failure.message.toLowerCase()}.</p>}
    </section>
  );
}

const select = (span: Span) => changeQuery({ ...spanQuery(span), days: null });

/** The same each time, so that the chart is not drawn again. */
const [NO_VERSIONS, NONE]: [ModelVersions['versions'], ReadonlySet<number>] = [[], new Set()];

/** What dragging does on the chart, for the keyboard and for fingers. */
function Moves({ span }: { span: Shown }) {
  const text = { earlier: '← Earlier', later: 'Later →', in: 'Zoom in', out: 'Zoom out' } as const;
  return (
    <div class="moves">
      {(['earlier', 'later', 'in', 'out'] as const).map((by) => (
        <button type="button" key={by} onClick={() => select(moved(span, by))}>
          {text[by]}
        </button>
      ))}
    </div>
  );
}

function Drawn({
  data,
  other,
  versions,
  outliers,
  forecast,
  span,
}: {
  data: Series;
  other: Series | undefined;
  versions: ModelVersions['versions'];
  outliers: ReadonlySet<number>;
  forecast: ForecastLines | null;
  span: Shown;
}) {
  const { columns } = data;
  const [pointed, setPointed] = useState<number | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const pinnedRun = queryOf('run');
  const pinned = pinnedRun === null ? -1 : columns.run_id.indexOf(pinnedRun);
  const marked = pinned >= 0 ? pinned : pointed;
  const version = queryOf('version');
  const notes = useMemo(() => limitNotes([data]), [data]);
  const model = useMemo(() => {
    const changes = notes.map(({ letter, change }) => ({ letter, at: Date.parse(change.at) }));
    const time = { low: Date.parse(data.from), high: Date.parse(data.to), range: span.range };
    return chartModel(data, withForecast(time, forecast?.time ?? []), {
      changes,
      other,
      level: chosenLevel(versions),
      forecast,
      outliers,
    });
  }, [data, other, versions, version, outliers, notes, forecast, span.range]);
  const pin = (index: number) => {
    const run = columns.run_id[index] ?? null;
    changeQuery({ run: run === pinnedRun ? null : run }, false);
  };
  const last = columns.time.length - 1;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: (marked ?? last + 1) - 1,
    ArrowRight: (marked ?? last - 1) + 1,
    Home: 0,
    End: last,
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = steps[event.key];
    if (event.key === 'Escape') {
      setPointed(null);
      changeQuery({ run: null }, false);
    } else if ((event.key === 'Enter' || event.key === ' ') && marked !== null) pin(marked);
    else if (next !== undefined && last >= 0) {
      const index = Math.max(0, Math.min(last, next));
      setPointed(index);
      if (pinned >= 0) changeQuery({ run: columns.run_id[index] ?? null }, false);
    } else return;
    event.preventDefault();
  };
  return (
    <>
      <div class="chart-card">
        {last < 0 && (
          <p class="no-points">
            No run logged this metric in this time.{' '}
            <a href={withQuery({ days: '90', from: null, to: null })}>Show 90 days</a>
          </p>
        )}
        <div
          class="chart"
          role="slider"
          tabIndex={0}
          aria-label={`Runs of ${data.display_name} by time; Enter pins a run`}
          aria-valuemin={0}
          aria-valuemax={Math.max(0, last)}
          aria-valuenow={Math.max(0, marked ?? last)}
          aria-valuetext={
            last < 0 ? 'no runs' : pointText(data, marked ?? last, outliers.has(marked ?? last))
          }
          onKeyDown={onKeyDown}
          onBlur={() => setPointed(null)}
        >
          <Chart
            model={model}
            marked={marked}
            height={HEIGHT}
            onPoint={setPointed}
            onPin={pin}
            onSelect={select}
            onPlace={(next) =>
              setPlace((before) => (before?.x === next?.x && before?.y === next?.y ? before : next))
            }
          />
        </div>
        {place && <span class="ring" style={{ left: `${place.x}px`, top: `${place.y}px` }} />}
        {marked !== null && place && (
          <Tip
            data={data}
            index={marked}
            outlier={outliers.has(marked)}
            place={place}
            pinned={pinned >= 0}
            onClose={() => changeQuery({ run: null }, false)}
          />
        )}
        <PointLegend
          statuses={columns.status}
          compared={other?.application ?? null}
          level={model.level?.name ?? null}
          outliers={outliers.size > 0}
          forecast={forecast !== null}
        />
      </div>
      <p class="chart-notes quiet">
        {thinnedText(data)} {minuteTime(data.from, zone.value)} to {minuteTime(data.to, zone.value)}. Drag on
        the chart to zoom, click a run to pin it.
        {hasOtherLimits(data.limits) &&
          ' Runs of some experiments have limits of their own; the chart shows those of the newest run.'}
        {other &&
          other.columns.time.length === 0 &&
          ` ${other.application} has no runs with this metric in this time.`}
      </p>
      <VersionNote versions={versions} unit={data.unit} />
      <LimitNotes notes={notes} />
    </>
  );
}

function thinnedText({ total, thinned }: Series): string {
  if (thinned === null) return `${plural(total, 'run')},`;
  const missing = thinned.not_healthy_left_out;
  const kept =
    missing === 0
      ? 'every extreme and every run that is not healthy is shown'
      : `${missing.toLocaleString('en')} of those left out are not healthy`;
  return `${(total - thinned.left_out).toLocaleString('en')} of ${plural(total, 'run')} drawn; ${kept};`;
}
