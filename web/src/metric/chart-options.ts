import type uPlot from 'uplot';
import { formatWithUnit } from '../../../src/domain/format.js';
import { serviceTime } from '../service/clock.js';
import { clockTime, shortDay } from '../words/time.js';
import { zone } from '../words/zone.js';
import type { Chart } from './chart.jsx';
import { type Colours, readColours } from './colours.js';
import {
  drawBand,
  drawLabel,
  drawLimits,
  drawLine,
  drawMoment,
  drawPoints,
  drawRings,
  type Pen,
} from './draw.js';
import { axisLabel, type ForecastLines, type Level } from './model.js';
import { gapsOf } from './points.js';

type Latest = { readonly current: Parameters<typeof Chart>[0] };

/** From this width on, the limits are named beside the chart, px. */
const WIDE = 680;
const LABEL_WIDTH = 156;
const HOUR = 3_600_000;

/** The library draws the axes and the selection; limits, lines and points are drawn here. */
export function chartOptions(
  latest: Latest,
  { width, height, utc }: { width: number; height: number; utc: boolean },
): uPlot.Options {
  let colours: Colours = readColours();
  const axisColour = (name: 'muted' | 'line') => () => colours[name];
  const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;
  return {
    width,
    height,
    ms: 1,
    ...(utc ? { tzDate: (time: number) => asUtc(time) } : {}),
    padding: [22, (chart) => (chart.width >= WIDE ? LABEL_WIDTH : 10), 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: () => [latest.current.model.time.low, latest.current.model.time.high] },
      y: { range: () => [latest.current.model.value.low, latest.current.model.value.high] },
    },
    series: [{}, { paths: () => null, points: { show: false } }],
    axes: [
      {
        stroke: axisColour('muted'),
        grid: { show: false },
        ticks: { stroke: axisColour('line'), size: 4 },
        font: font(),
        size: 30,
        space: 76,
        values: (_chart, times, _axis, _space, step) =>
          times.map((time) => (step >= 20 * HOUR ? shortDay(time, zone.value) : dayOrClock(time))),
      },
      {
        stroke: axisColour('muted'),
        grid: { stroke: axisColour('line'), width: 1 },
        ticks: { show: false },
        font: font(),
        size: 62,
        values: (_chart, values, _axis, _space, step) =>
          values.map((value) => axisLabel(value, step, latest.current.model)),
      },
    ],
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 } },
    hooks: {
      drawClear: [
        (chart) => {
          colours = readColours();
          const { segments, higherIsBetter } = latest.current.model;
          if (higherIsBetter !== null) drawLimits(penOf(chart, colours), segments, higherIsBetter, 'zones');
        },
      ],
      draw: [(chart) => drawContent(chart, penOf(chart, colours), latest)],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width < 4) return;
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onSelect({
            low: chart.posToVal(left, 'x'),
            high: chart.posToVal(left + width, 'x'),
          });
        },
      ],
    },
  };
}

/** The library reads the local fields of dates: of this one they are those of UTC. */
function asUtc(time: number): Date {
  const date = new Date(time);
  return new Date(time + date.getTimezoneOffset() * 60_000);
}

/** At midnight the day is more use than 00:00. */
function dayOrClock(time: number): string {
  const clock = clockTime(time, zone.value);
  return clock === '00:00' ? shortDay(time, zone.value) : clock;
}

function penOf(chart: uPlot, colours: Colours): Pen {
  const { left, top, width, height } = chart.bbox;
  return {
    ctx: chart.ctx,
    colours,
    ratio: devicePixelRatio,
    area: { left, top, right: left + width, bottom: top + height },
    x: (time) => chart.valToPos(time, 'x', true),
    y: (value) => chart.valToPos(value, 'y', true),
  };
}

function drawContent(chart: uPlot, pen: Pen, latest: Latest): void {
  const { model } = latest.current;
  const { colours, ratio, area, x } = pen;
  // After the grid, which would cover them.
  if (model.higherIsBetter !== null) drawLimits(pen, model.segments, model.higherIsBetter, 'lines');
  drawGaps(pen, model.times);
  if (model.compared) {
    drawLine(pen, model.compared.times, model.compared.values, {
      colour: colours.muted,
      width: 1.5,
      dash: [6, 4],
      bridge: model.bridge,
    });
  }
  if (model.level) drawLevel(pen, model.level);
  if (model.forecast) drawForecast(pen, model.forecast);
  drawPoints(pen, model.times, model.values, model.statuses);
  drawRings(pen, model.outliers, model.times, model.values);
  drawLine(pen, model.times, model.average, { colour: colours.link, width: 1.8, bridge: model.bridge });
  for (const { at, letter } of model.changes) {
    if (at < model.time.low || at > model.time.high) continue;
    drawMoment(pen, at);
    drawLabel(pen, {
      text: letter,
      x: x(at),
      y: area.top - 10 * ratio,
      colour: colours.text,
      align: 'center',
    });
  }
  drawLimitLabels(chart, pen, latest);
  placeMarked(chart, latest);
}

/** Tells where the marked point is. It is marked above the canvas: drawing everything again would be too slow. */
export function placeMarked(chart: uPlot, { current: { model, marked, onPlace } }: Latest): void {
  if (marked === null) {
    onPlace(null);
    return;
  }
  const { left, top, height } = chart.bbox;
  const [time, value] = [model.times[marked] ?? 0, model.values[marked] ?? null];
  onPlace({
    x: left / devicePixelRatio + chart.valToPos(time, 'x'),
    y:
      value === null
        ? (top + height) / devicePixelRatio
        : top / devicePixelRatio + chart.valToPos(value, 'y'),
  });
}

/** The level of a model version across the whole chart: its runs may have been at another time. */
function drawLevel(pen: Pen, { lower, median, upper }: Level): void {
  const { colours, area } = pen;
  const times = [area.left, area.right];
  const across = { ...pen, x: (place: number) => place };
  drawBand(
    across,
    times,
    [
      [lower, lower],
      [upper, upper],
    ],
    { colour: colours.muted, opacity: 0.16 },
  );
  drawLine(across, times, [median, median], {
    colour: colours.muted,
    width: 1.5,
    dash: [6, 4],
    bridge: Number.POSITIVE_INFINITY,
  });
}

/** The expected values after now, with the 80 and 95 % bands. */
function drawForecast(pen: Pen, { time, ...lines }: ForecastLines): void {
  const { colours, ratio, area, x } = pen;
  const colour = colours.link;
  drawBand(pen, time, [lines.lower_95, lines.upper_95], { colour, opacity: 0.12 });
  drawBand(pen, time, [lines.lower_80, lines.upper_80], { colour, opacity: 0.2 });
  drawLine(pen, time, lines.forecast, { colour, width: 1.8, dash: [5, 4], bridge: Number.POSITIVE_INFINITY });
  const now = serviceTime.peek();
  drawMoment(pen, now);
  drawLabel(pen, {
    text: 'now',
    x: x(now),
    y: area.top - 10 * ratio,
    colour: colours.muted,
    align: 'center',
  });
}

/** A gap is named if it has room for it. */
function drawGaps(pen: Pen, times: readonly number[]): void {
  const { area, ratio, colours, x } = pen;
  for (const { from, to } of gapsOf(times, HOUR)) {
    const [left, right] = [Math.max(area.left, x(from)), Math.min(area.right, x(to))];
    if (right - left < 60 * ratio) continue;
    const y = area.bottom - 12 * ratio;
    drawLabel(pen, { text: 'no runs', x: (left + right) / 2, y, colour: colours.muted, align: 'center' });
  }
}

/** The limits that apply now, named beside their lines. */
function drawLimitLabels(chart: uPlot, pen: Pen, { current: { model } }: Latest): void {
  const last = model.segments.at(-1);
  if (!last || model.higherIsBetter === null) return;
  const { area, ratio, colours, y } = pen;
  const isWide = chart.width >= WIDE;
  let above = Number.NEGATIVE_INFINITY;
  const limits = (['warning', 'critical'] as const)
    .flatMap((status) => (last[status] === null ? [] : [{ status, limit: last[status] }]))
    .sort((a, b) => b.limit - a.limit);
  for (const { status, limit } of limits) {
    const place = y(limit);
    if (place < area.top || place > area.bottom) continue;
    const text = `${status} ${model.higherIsBetter ? 'below' : 'above'} ${formatWithUnit(Number((limit * model.divisor).toPrecision(15)), model.unit)}`;
    // Two limits close to each other: the lower one is named further below.
    const at = Math.max(isWide ? place : place - 8 * ratio, above + 14 * ratio);
    above = at;
    drawLabel(pen, {
      text,
      x: isWide ? area.right + 8 * ratio : area.left + 6 * ratio,
      y: at,
      colour: colours[status],
      bold: true,
    });
  }
}
