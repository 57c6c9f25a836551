import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Span } from '../marks/scale.js';
import { zone } from '../words/zone.js';
import { chartOptions, placeMarked } from './chart-options.js';
import type { ChartModel } from './model.js';
import { nearestPoint } from './points.js';

/** Where a point is on the page, px from the upper left of the chart. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

interface Chart {
  readonly model: ChartModel;
  /** The point that is meant, by the pointer, the keys or a click; null: none. */
  readonly marked: number | null;
  readonly height: number;
  readonly onPoint: (index: number | null) => void;
  readonly onPin: (index: number) => void;
  readonly onSelect: (span: Span) => void;
  /** Called with the place of the marked point when it changes. */
  readonly onPlace: (place: Place | null) => void;
}

/** The chart on its canvas. It is created once and drawn again when its data, size, zone or theme changes. */
export function Chart(props: Chart) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  const drawn = useRef(props.model);
  latest.current = props;
  const utc = zone.value === 'UTC';
  useEffect(() => {
    const element = root.current;
    if (!element) return;
    const chart = new uPlot(
      chartOptions(latest, { width: element.clientWidth, height: latest.current.height, utc }),
      dataOf(latest.current.model),
      element,
    );
    plot.current = chart;
    const stop = listen(chart, element, latest);
    return () => {
      stop();
      chart.destroy();
      plot.current = null;
    };
  }, [utc]);
  const { model, marked } = props;
  useEffect(() => {
    // The first data is drawn when the chart is created.
    if (drawn.current !== model) plot.current?.setData(dataOf(model));
    drawn.current = model;
  }, [model]);
  useEffect(() => {
    if (plot.current) placeMarked(plot.current, latest);
  }, [marked]);
  return <div class="chart-canvas" ref={root} style={{ height: `${props.height}px` }} />;
}

const dataOf = ({ times, values }: ChartModel): uPlot.AlignedData => [times as number[], values as number[]];

type Latest = { readonly current: Chart };

/** Reacts to the pointer, the size of the column and the theme. Returns what undoes it. */
function listen(chart: uPlot, element: HTMLElement, latest: Latest): () => void {
  const indexAt = (event: MouseEvent): number | null => {
    const { left, top } = chart.over.getBoundingClientRect();
    const { times, values } = latest.current.model;
    const placeOf = (index: number) => {
      const value = values[index] ?? null;
      return {
        x: chart.valToPos(times[index] ?? 0, 'x'),
        y: value === null ? null : chart.valToPos(value, 'y'),
      };
    };
    const pointer = { x: event.clientX - left, y: event.clientY - top };
    return nearestPoint(times, pointer, placeOf, (x) => chart.posToVal(x, 'x'));
  };
  const onMove = (event: MouseEvent) => latest.current.onPoint(indexAt(event));
  const onLeave = () => latest.current.onPoint(null);
  let pressedAt = 0;
  const onDown = (event: MouseEvent) => {
    pressedAt = event.clientX;
  };
  const onClick = (event: MouseEvent) => {
    const index = indexAt(event);
    // The end of a selection is not a click.
    if (index !== null && Math.abs(event.clientX - pressedAt) < 4) latest.current.onPin(index);
  };
  chart.over.addEventListener('mousemove', onMove);
  chart.over.addEventListener('mouseleave', onLeave);
  chart.over.addEventListener('mousedown', onDown);
  chart.over.addEventListener('click', onClick);
  const sizes = new ResizeObserver(() =>
    chart.setSize({ width: element.clientWidth, height: latest.current.height }),
  );
  sizes.observe(element);
  const themes = ['(prefers-color-scheme: dark)', 'print'].map((query) => matchMedia(query));
  const redraw = () => chart.redraw(false);
  for (const theme of themes) theme.addEventListener('change', redraw);
  return () => {
    sizes.disconnect();
    for (const theme of themes) theme.removeEventListener('change', redraw);
  };
}
