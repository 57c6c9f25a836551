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

function clip({ ctx, area, ratio }: Pen): void {
  ctx.beginPath();
  // Points at the edge are drawn whole.
  ctx.rect(
    area.left,
    area.top - 6 * ratio,
    area.right - area.left + 6 * ratio,
    area.bottom - area.top + 12 * ratio,
  );
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
  times.forEach((time, i) => {
    const value = values[i] ?? null;
    if (value === null) {
      before = Number.NEGATIVE_INFINITY;
      return;
    }
    if (time - before > bridge) ctx.moveTo(x(time), y(value));
    else ctx.lineTo(x(time), y(value));
    before = time;
  });
  ctx.stroke();
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
  const { ctx, colours, ratio, area, x, y } = pen;
  ctx.save();
  clip(pen);
  for (const status of ORDER) {
    const r = SIZES[status] * ratio;
    ctx.beginPath();
    times.forEach((time, i) => {
      if (statuses[i] !== status) return;
      const value = values[i] ?? null;
      TRACES[status](ctx, x(time), value === null ? area.bottom - r : y(value), r);
    });
    const isOutline = status === 'invalid' || status === 'unmonitored';
    ctx.strokeStyle = status === 'unmonitored' ? colours.muted : colours['invalid-fill'];
    ctx.lineWidth = (status === 'invalid' ? 2 : 1.3) * ratio;
    if (isOutline) ctx.stroke();
    else {
      ctx.fillStyle = colours[`${status as 'critical' | 'warning' | 'healthy'}-fill`];
      ctx.fill();
    }
  }
  ctx.restore();
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

/** The point that is meant. */
export function drawRing({ ctx, colours, ratio, area, x, y }: Pen, time: number, value: number | null): void {
  ctx.save();
  ctx.strokeStyle = colours.text;
  ctx.lineWidth = 2 * ratio;
  ctx.beginPath();
  ctx.arc(x(time), value === null ? area.bottom - 4 * ratio : y(value), 7.5 * ratio, 0, 2 * Math.PI);
  ctx.stroke();
  ctx.restore();
}
