import type { Signal } from '@preact/signals';
import type { Metrics } from '../../../src/dashboard/contract/metrics.js';
import { fraction, timeTicks } from '../marks/scale.js';
import { clockTime, minuteTime, offsetOf, shortDay } from '../words/time.js';
import { listOf, plural, STATUS_LABELS } from '../words/words.js';
import { zone } from '../words/zone.js';
import type { LimitNote } from './limit-notes.js';

interface Axis {
  readonly data: Metrics;
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

/** The one time axis of all rows. The arrow keys move the line through all rows. */
export function TimeAxis({ data, pointed, notes }: Axis) {
  const span = { low: Date.parse(data.from), high: Date.parse(data.to) };
  const { at, days } = timeTicks(span.low, span.high, 8, (time) => offsetOf(time, zone.value));
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
        {at.map((tick) => (
          <span key={tick} style={{ left: `${100 * fraction(tick, span)}%` }}>
            {days ? shortDay(tick, zone.value) : clockTime(tick, zone.value)}
          </span>
        ))}
        {notes.map(({ letter, change }) => (
          <b key={letter} class="letter" style={{ left: `${100 * fraction(Date.parse(change.at), span)}%` }}>
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
