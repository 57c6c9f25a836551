import type { RunDetail } from '../../../src/dashboard/contract/runs.js';
import type { Series } from '../../../src/dashboard/contract/series.js';
import { durationText, endText } from '../application/run-words.js';
import { Panel } from '../frame/panel.jsx';
import { Shape } from '../marks/status.jsx';
import { useApi } from '../service/read-api.js';
import { valueText } from '../words/quantity.js';
import { minuteTime } from '../words/time.js';
import { keepUnits, STATUS_LABELS } from '../words/words.js';
import { zone } from '../words/zone.js';
import type { Place } from './chart.jsx';

/** The point in words, for screen readers: `0.825, critical, tune-4471, Sun 22 Nov, 14:05`. */
export function pointText({ columns, unit }: Series, index: number, outlier: boolean): string {
  const value = columns.value[index] ?? null;
  const invalid_kind = columns.invalid_kind[index] ?? null;
  const status = columns.status[index] ?? 'unmonitored';
  const parts = [
    valueText({ value, invalid_kind, unit }),
    STATUS_LABELS[status].toLowerCase(),
    ...(outlier ? ['an outlier'] : []),
    columns.run_name[index] ?? '',
    minuteTime(columns.time[index] ?? 0, zone.value),
  ];
  return parts.join(', ');
}

interface Shown {
  readonly data: Series;
  readonly index: number;
  readonly outlier: boolean;
  readonly place: Place;
  readonly pinned: boolean;
  readonly onClose: () => void;
}

/** What is known of the run that is pointed at; of a pinned one everything. It never covers its point. */
export function Tip({ data, index, outlier, place, pinned, onClose }: Shown) {
  const { columns, unit } = data;
  const value = columns.value[index] ?? null;
  const invalid_kind = columns.invalid_kind[index] ?? null;
  const status = columns.status[index] ?? 'unmonitored';
  const average = columns.moving_avg[index] ?? null;
  const expected = columns.forecast[index] ?? null;
  const isLeft = place.x > 420;
  return (
    <div
      class={pinned ? 'tip pinned' : 'tip'}
      style={
        isLeft
          ? { right: `calc(100% - ${place.x - 14}px)`, top: `${place.y}px` }
          : { left: `${place.x + 14}px`, top: `${place.y}px` }
      }
    >
      <p>
        <Shape of={status} />
        <b class={status}>{keepUnits(valueText({ value, invalid_kind, unit }))}</b>{' '}
        <span>{columns.run_name[index]}</span>
        {pinned && (
          <button type="button" class="close" aria-label="Unpin" onClick={onClose}>
            ×
          </button>
        )}
      </p>
      <dl>
        <Entry name="started">{minuteTime(columns.time[index] ?? 0, zone.value)}</Entry>
        {outlier && (
          <Entry name="outlier">
            {keepUnits(valueText({ value: expected, invalid_kind: null, unit }))} was expected
          </Entry>
        )}
        {average !== null && (
          <Entry name="moving average">
            {keepUnits(valueText({ value: average, invalid_kind: null, unit }))}
          </Entry>
        )}
        {!pinned && columns.user_id[index] && <Entry name="by">{columns.user_id[index]}</Entry>}
        {columns.model_id[index] && <Entry name="model">{columns.model_id[index]}</Entry>}
        {columns.dataset_name[index] && <Entry name="dataset">{columns.dataset_name[index]}</Entry>}
      </dl>
      {pinned && <Details data={data} index={index} />}
    </div>
  );
}

/** Other metrics, and params. */
const MOST = 5;

function Details({ data, index }: { data: Series; index: number }) {
  const run_id = data.columns.run_id[index] ?? '';
  const day = new Date(data.columns.time[index] ?? 0).toISOString().slice(0, 10);
  const run = useApi('/api/v1/run', { run_id, day });
  return (
    <Panel of={run} name="The run" height={150}>
      {(found) => <Run run={found} metric={data.metric} />}
    </Panel>
  );
}

function Run({ run, metric }: { run: RunDetail; metric: string }) {
  const others = run.metrics.filter(({ name }) => name !== metric);
  const params = Object.entries(run.params);
  const duration = durationText(run);
  return (
    <>
      <dl>
        {run.user_id && <Entry name="by">{run.user_id}</Entry>}
        {duration && (
          <Entry name="duration">
            {duration}
            {endText(run) && `, ${endText(run)?.toLowerCase()}`}
          </Entry>
        )}
        {others.slice(0, MOST).map((each) => (
          <Entry key={each.name} name={each.display_name}>
            {each.status !== 'unmonitored' && <Shape of={each.status} />} {keepUnits(valueText(each))}
          </Entry>
        ))}
        {params.slice(0, MOST).map(([name, value]) => (
          <Entry key={name} name={name}>
            {value}
          </Entry>
        ))}
      </dl>
      {others.length + params.length > 2 * MOST && (
        <p class="quiet">
          {others.length} other metrics and {params.length} params in all
        </p>
      )}
      <p>
        <a href={run.url}>Open in MLflow</a>
      </p>
    </>
  );
}

function Entry({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
