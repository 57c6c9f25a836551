import type { Signal } from '@preact/signals';
import type { Metrics } from '../../../src/dashboard/contract/metrics.js';
import { fraction, timeTicks } from '../marks/scale.js';
import { clockTime, minuteTime, offsetOf, shortDay } from '../words/time.js';
import { listOf, plural, STATUS_LABELS } from '../words/words.js';
import { zone } from '../words/zone.js';
import type { LimitNote } from './limit-notes.js';
import { percent } from './mini-forecast.jsx';
import type { RowAxis } from './row-axis.js';

interface Axis {
  readonly data: Metrics;
  readonly axis: RowAxis;
  readonly pointed: Signal<number | null>;
  readonly notes: readonly LimitNote[];
}

/** The start and end of a cell, ms. */
export function cellSpan({ from, cell_hours }: Metrics, cell: number): readonly [number, number] {
  const start = Date.parse(from) + cell * cell_hours * 3_600_000;
  return [start, start + cell_hours * 3_600_000];
}

/** `Sun 22 Nov, 18:00–21:00` */
function cellText(data: Metrics, cell: number): string {
  const [start, end] = cellSpan(data, cell);
  return `${minuteTime(start, zone.value)}–${clockTime(end, zone.value)}`;
}

/** No other label is closer to `now` than this part of the axis. */
const NOW_ROOM = 0.05;

/** The one time axis of all rows. The arrow keys move the line through all rows. */
export function TimeAxis({ data, axis, pointed, notes }: Axis) {
  const { at, days } = timeTicks(axis.low, axis.high, 10, (time) => offsetOf(time, zone.value));
  const ticks = at.filter(
    (tick) => axis.share === 1 || Math.abs(fraction(tick, axis) - axis.share) > NOW_ROOM,
  );
  const last = (data.metrics[0]?.cells.status.length ?? 1) - 1;
  const cell = pointed.value;
  const moves: Readonly<Record<string, number>> = {
    ArrowLeft: (cell ?? last + 1) - 1,
    ArrowRight: (cell ?? last - 1) + 1,
    Home: 0,
    End: last,
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moves[event.key];
    if (next === undefined) return;
    event.preventDefault();
    pointed.value = Math.max(0, Math.min(last, next));
  };
  return (
    <div
      class="axis"
      role="slider"
      tabIndex={0}
      aria-label="Time in all rows"
      aria-valuemin={1}
      aria-valuemax={last + 1}
      aria-valuenow={(cell ?? last) + 1}
      aria-valuetext={spoken(data, cell ?? last)}
      onKeyDown={onKeyDown}
      onBlur={() => {
        pointed.value = null;
      }}
    >
      <p class="pointed">{cell === null ? 'newest value, distance to its limit' : cellText(data, cell)}</p>
      <div class="ticks">
        {ticks.map((tick) => (
          <span key={tick} style={{ left: percent(tick, axis) }}>
            {days ? shortDay(tick, zone.value) : clockTime(tick, zone.value)}
          </span>
        ))}
        {axis.share < 1 && <b style={{ left: percent(axis.now, axis) }}>now</b>}
        {notes.map(({ letter, change }) => (
          <b key={letter} class="letter" style={{ left: percent(Date.parse(change.at), axis) }}>
            {letter}
          </b>
        ))}
      </div>
    </div>
  );
}

/** The cell for a screen reader: its time, and which metrics were not healthy. */
function spoken(data: Metrics, cell: number): string {
  const logged = data.metrics.filter(({ cells }) => cells.status[cell]);
  const bad = logged.flatMap(({ display_name, cells }) => {
    const status = cells.status[cell];
    return status === 'healthy' || status === 'unmonitored' || !status
      ? []
      : [`${display_name} ${STATUS_LABELS[status].toLowerCase()}`];
  });
  const state =
    logged.length === 0
      ? 'no runs'
      : bad.length === 0
        ? `${plural(logged.length, 'metric')} logged, none beyond a limit`
        : listOf(bad);
  return `${cellText(data, cell)}: ${state}`;
}
