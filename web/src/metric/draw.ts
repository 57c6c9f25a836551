import type { MetricStatus } from '../../../src/domain/model.js';
import { type LimitSegment, zonesOf } from '../marks/limits.js';
import type { Colours } from './colours.js';

/** What the chart draws on its canvas. Places are px of the canvas. */
export interface Pen {
  readonly ctx: CanvasRenderingContext2D;
  readonly colours: Colours;
  /** Px of the canvas per px of the page. */
  readonly ratio: number;
  readonly area: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

/** The zones beyond the limits or the limits themselves, with steps where they changed. */
export function drawLimits(
  pen: Pen,
  segments: readonly LimitSegment[],
  higherIsBetter: boolean,
  part: 'zones' | 'lines',
): void {
  const { ctx, colours, ratio, area, x, y } = pen;
  ctx.save();
  clip(pen);
  ctx.setLineDash([4 * ratio, 3 * ratio]);
  ctx.lineWidth = ratio;
  for (const segment of segments) {
    const [left, right] = [x(segment.from), x(segment.to)];
    for (const { status, low, high } of zonesOf(segment, higherIsBetter)) {
      const top = high === Number.POSITIVE_INFINITY ? area.top : clamp(y(high), area.top, area.bottom);
      const bottom = low === Number.NEGATIVE_INFINITY ? area.bottom : clamp(y(low), area.top, area.bottom);
      if (part === 'zones') {
        ctx.fillStyle = colours[`${status}-zone`];
        ctx.fillRect(left, top, right - left, bottom - top);
        continue;
      }
      const limit = y(higherIsBetter ? high : low);
      ctx.strokeStyle = colours[`${status}-fill`];
      ctx.beginPath();
      ctx.moveTo(left, limit);
      ctx.lineTo(right, limit);
      ctx.stroke();
    }
  }
  ctx.restore();
}

/** @param margin px: points at the edge are drawn whole */
function clip({ ctx, area, ratio }: Pen, margin = 6): void {
  const more = margin * ratio;
  ctx.beginPath();
  ctx.rect(area.left, area.top - more, area.right - area.left + more, area.bottom - area.top + 2 * more);
  ctx.clip();
}

/** A line that stops at null and does not cross gaps. @param bridge ms */
export function drawLine(
  pen: Pen,
  times: readonly number[],
  values: readonly (number | null)[],
  {
    colour,
    width,
    dash = [],
    bridge,
  }: { colour: string; width: number; dash?: readonly number[]; bridge: number },
): void {
  const { ctx, ratio, x, y } = pen;
  ctx.save();
  clip(pen);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width * ratio;
  ctx.lineJoin = 'round';
  ctx.setLineDash(dash.map((length) => length * ratio));
  ctx.beginPath();
  let before = Number.NEGATIVE_INFINITY;
  let [drawnX, drawnY] = [0, 0];
  times.forEach((time, i) => {
    const value = values[i] ?? null;
    if (value === null) {
      before = Number.NEGATIVE_INFINITY;
      return;
    }
    const [left, top] = [x(time), y(value)];
    const isNew = time - before > bridge;
    before = time;
    // A step of less than half a pixel is not seen.
    if (!isNew && Math.abs(left - drawnX) < 0.5 && Math.abs(top - drawnY) < 0.5) return;
    if (isNew) ctx.moveTo(left, top);
    else ctx.lineTo(left, top);
    [drawnX, drawnY] = [left, top];
  });
  ctx.stroke();
  ctx.restore();
}

/** The area between two lines. @param opacity 0 to 1 */
export function drawBand(
  pen: Pen,
  times: readonly number[],
  [lower, upper]: readonly [readonly number[], readonly number[]],
  { colour, opacity }: { colour: string; opacity: number },
): void {
  const { ctx, x, y } = pen;
  ctx.save();
  clip(pen, 0);
  ctx.globalAlpha = opacity;
  ctx.fillStyle = colour;
  ctx.beginPath();
  times.forEach((time, i) => {
    ctx.lineTo(x(time), y(upper[i] ?? 0));
  });
  for (let i = times.length - 1; i >= 0; i--) ctx.lineTo(x(times[i] ?? 0), y(lower[i] ?? 0));
  ctx.fill();
  ctx.restore();
}

/** Half the size of a mark, px. Worse ones are larger. */
const SIZES: Readonly<Record<MetricStatus, number>> = {
  critical: 3.4,
  invalid: 3.6,
  warning: 4.2,
  healthy: 2.7,
  unmonitored: 3.4,
};
const TRACES: Readonly<
  Record<MetricStatus, (ctx: CanvasRenderingContext2D, x: number, y: number, r: number) => void>
> = {
  critical: (ctx, x, y, r) => ctx.rect(x - r, y - r, 2 * r, 2 * r),
  warning: (ctx, x, y, r) => {
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y + 0.8 * r);
    ctx.lineTo(x - r, y + 0.8 * r);
    ctx.closePath();
  },
  healthy: (ctx, x, y, r) => {
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, 2 * Math.PI);
  },
  invalid: (ctx, x, y, r) => {
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
  },
  unmonitored: (ctx, x, y, r) => {
    ctx.moveTo(x, y - r);
    ctx.lineTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
    ctx.closePath();
  },
};

/** The worst last, so that no healthy point covers them. */
const ORDER: readonly MetricStatus[] = ['unmonitored', 'healthy', 'warning', 'invalid', 'critical'];

/** Runs as points by status: form and colour. Those without a valid value are at the bottom. */
export function drawPoints(
  pen: Pen,
  times: readonly number[],
  values: readonly (number | null)[],
  statuses: readonly MetricStatus[],
): void {
  const { ctx, area, x, y } = pen;
  ctx.save();
  clip(pen);
  for (const status of ORDER) {
    if (!statuses.includes(status)) continue;
    const mark = markOf(pen, status);
    const middle = mark.width / 2;
    const isFree = freePlaces(pen, times.length > DENSE ? 3 : 2);
    times.forEach((time, i) => {
      if (statuses[i] !== status) return;
      const value = values[i] ?? null;
      const [left, top] = [x(time), value === null ? area.bottom - middle : y(value)];
      if (isFree(left, top)) ctx.drawImage(mark, Math.round(left - middle), Math.round(top - middle));
    });
  }
  ctx.restore();
}

/** The mark of a status, drawn once: copying it is much faster than drawing it for every point. */
function markOf({ colours, ratio }: Pen, status: MetricStatus): HTMLCanvasElement {
  const r = SIZES[status] * ratio;
  const mark = document.createElement('canvas');
  mark.width = mark.height = Math.ceil(2 * r + 4 * ratio);
  const ctx = mark.getContext('2d');
  if (!ctx) return mark;
  ctx.beginPath();
  TRACES[status](ctx, mark.width / 2, mark.height / 2, r);
  ctx.strokeStyle = status === 'unmonitored' ? colours.muted : colours['invalid-fill'];
  ctx.lineWidth = (status === 'invalid' ? 2 : 1.3) * ratio;
  if (status === 'invalid' || status === 'unmonitored') ctx.stroke();
  else {
    ctx.fillStyle = colours[`${status}-fill`];
    ctx.fill();
  }
  return mark;
}

/** Rings around points: their form tells them from the marks of statuses, which they are drawn around. */
export function drawRings(
  { ctx, colours, ratio, x, y }: Pen,
  indices: Iterable<number>,
  times: readonly number[],
  values: readonly (number | null)[],
): void {
  ctx.save();
  ctx.strokeStyle = colours.text;
  ctx.lineWidth = ratio;
  ctx.beginPath();
  for (const index of indices) {
    const [left, top] = [x(times[index] ?? 0), y(values[index] ?? 0)];
    ctx.moveTo(left + RING * ratio, top);
    ctx.arc(left, top, RING * ratio, 0, 2 * Math.PI);
  }
  ctx.stroke();
  ctx.restore();
}

/** The radius of the ring around an outlier, px. */
const RING = 6.5;

/** From so many points on, marks are drawn a little further apart. */
const DENSE = 10_000;

/**
 * Whether no mark was drawn at a place yet: thousands of marks would cover each other, and each costs time.
 * @param distance between two places, px of the page; less than the width of a mark
 */
function freePlaces({ area, ratio }: Pen, distance: number): (left: number, top: number) => boolean {
  const size = distance * ratio;
  const columns = Math.ceil((area.right - area.left) / size) + 1;
  const rows = Math.ceil((area.bottom - area.top) / size) + 1;
  const taken = new Uint8Array(columns * rows);
  return (left, top) => {
    const [column, row] = [Math.round((left - area.left) / size), Math.round((top - area.top) / size)];
    // What is outside is cut off.
    if (column < 0 || column >= columns || row < 0 || row >= rows) return false;
    const place = row * columns + column;
    const isFree = taken[place] === 0;
    taken[place] = 1;
    return isFree;
  };
}

export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly colour: string;
  readonly align?: CanvasTextAlign;
  readonly bold?: boolean;
}

export function drawLabel(
  { ctx, ratio }: Pen,
  { text, x, y, colour, align = 'left', bold = false }: Label,
): void {
  ctx.save();
  ctx.font = `${bold ? 600 : 400} ${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
  ctx.textAlign = align;
  ctx.textBaseline = 'middle';
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
  ctx.restore();
}

/** An upright line from edge to edge. */
export function drawMoment({ ctx, colours, ratio, area, x }: Pen, time: number): void {
  ctx.save();
  ctx.strokeStyle = colours.muted;
  ctx.lineWidth = ratio;
  ctx.setLineDash([2 * ratio, 3 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x(time), area.top);
  ctx.lineTo(x(time), area.bottom);
  ctx.stroke();
  ctx.restore();
}
