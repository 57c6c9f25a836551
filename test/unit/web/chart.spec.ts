import type { Series } from '../../../src/dashboard/contract/series.js';
import { averageCount } from '../../../web/src/metric/average.js';
import { axisLabel, chartModel } from '../../../web/src/metric/model.js';
import { pointWhy } from '../../../web/src/metric/point-why.js';
import { divisorOf, gapsOf, longestBridge, nearestPoint } from '../../../web/src/metric/points.js';
import { runUrl } from '../../../web/src/metric/run-url.js';
import { SNIPPETS } from '../../../web/src/metric/snippets.js';
import { moved, shownSpan, spanQuery, withForecast } from '../../../web/src/metric/span.js';

const HOUR = 3_600_000;
const query = (text: string) => (name: string) => new URLSearchParams(text).get(name);

describe('the time that a chart shows', () => {
  const now = Date.parse('2026-11-24T10:20:00Z');
  it('is the last days until the end of the hour, so that requests are the same for an hour', () => {
    expect(spanQuery(shownSpan(query(''), now))).toEqual({
      from: '2026-10-25T11:00:00.000Z',
      to: '2026-11-24T11:00:00.000Z',
    });
    expect(shownSpan(query('days=7'), now).range).toBe('7');
    expect(shownSpan(query('days=-1'), now).range).toBe('30');
  });

  it('is the part that the reader chose, and survives its way through the address', () => {
    const part = { low: now - HOUR, high: now };
    const shown = shownSpan(query(String(new URLSearchParams(spanQuery(part)))), now);
    expect(shown).toEqual({ ...part, range: null });
    expect(shownSpan(query('from=x&to=y'), now).range).toBe('30');
    expect(shownSpan(query('from=2026-11-24T10:00:00Z&to=2026-11-24T09:00:00Z'), now).range).toBe('30');
  });

  it('is longer by the forecast if it ends now, by a third at most', () => {
    const shown = shownSpan(query('days=30'), now);
    const soon = shown.high + 2 * 24 * HOUR;
    expect(withForecast(shown, [soon])).toEqual({ low: shown.low, high: soon });
    expect(withForecast(shown, [shown.high + 40 * 24 * HOUR]).high).toBe(shown.high + 10 * 24 * HOUR);
    expect(withForecast(shown, [])).toBe(shown);
    expect(withForecast({ ...shown, range: null }, [soon]).high).toBe(shown.high);
  });

  it('moves by half and zooms around its middle', () => {
    const span = { low: 0, high: 100 };
    expect(moved(span, 'earlier')).toEqual({ low: -50, high: 50 });
    expect(moved(span, 'later')).toEqual({ low: 50, high: 150 });
    expect(moved(moved(span, 'in'), 'out')).toEqual(span);
  });
});

describe('the point that is meant', () => {
  const times = [0, 100, 104, 300];
  const values = [1, 5, 50, 2];
  const nearest = (x: number, y: number) =>
    nearestPoint(
      times,
      { x, y },
      (i) => ({ x: times[i] ?? 0, y: values[i] ?? 0 }),
      (place) => place,
    );
  it('is the nearest one', () => {
    expect(nearest(101, 40)).toBe(2);
    expect(nearest(101, 6)).toBe(1);
  });

  it('is the nearest in time if there is none close by', () => {
    expect(nearest(190, 0)).toBe(2);
    expect(nearest(260, 0)).toBe(3);
    expect(nearest(-500, 0)).toBe(0);
    expect(nearest(900, 0)).toBe(3);
    expect(
      nearestPoint(
        [],
        { x: 0, y: 0 },
        () => ({ x: 0, y: 0 }),
        (x) => x,
      ),
    ).toBeNull();
  });
});

describe('gaps', () => {
  it('are much longer than the usual time between two runs', () => {
    const times = [0, 1, 2, 3, 4, 20, 21].map((hour) => hour * HOUR);
    expect(longestBridge(times)).toBe(2.5 * HOUR);
    expect(gapsOf(times, HOUR)).toEqual([{ from: 4 * HOUR, to: 20 * HOUR }]);
    expect(longestBridge([5])).toBe(Number.POSITIVE_INFINITY);
    expect(longestBridge([5, 5, 5])).toBe(Number.POSITIVE_INFINITY);
  });
});

const series = (values: (number | null)[], more: Partial<Series['columns']> = {}): Series => {
  const nulls = values.map(() => null);
  const columns = {
    time: values.map((_, i) => Date.UTC(2026, 10, 24, i)),
    value: values,
    status: values.map((value) => (value === null ? ('invalid' as const) : ('healthy' as const))),
    invalid_kind: values.map((value) => (value === null ? ('nan' as const) : null)),
    moving_avg: values,
    forecast: nulls,
    critical_threshold: nulls,
    warning_threshold: nulls,
    run_id: values.map((_, i) => `r${i}`),
    run_name: values.map((_, i) => `run ${i}`),
    experiment_id: values.map(() => '1'),
    user_id: nulls,
    model_id: nulls,
    dataset_name: nulls,
    ...more,
  };
  return {
    application: 'a',
    metric: 'm',
    display_name: 'm',
    unit: null,
    higher_is_better: true,
    from: '2026-11-01T00:00:00.000Z',
    to: '2026-11-25T00:00:00.000Z',
    total: values.length,
    thinned: null,
    columns,
    limits: [],
    limit_changes: [],
  };
};

describe('the chart', () => {
  it.each([
    [[5e-320, 1e-319]],
    [[-Number.MAX_VALUE, Number.MAX_VALUE, null]],
    [[1e300]],
    [[0, 0, 0]],
    [[null]],
    [[]],
  ])('has finite values within its span for %j', (values) => {
    const model = chartModel(
      series(values),
      { low: 0, high: 1 },
      { changes: [], other: undefined, level: null, forecast: null, outliers: new Set() },
    );
    expect(model.value.low).toBeLessThan(model.value.high);
    // A chart library computes the difference.
    expect(Number.isFinite(model.value.high - model.value.low)).toBe(true);
    for (const value of model.values) {
      if (value === null) continue;
      expect(value).toBeGreaterThanOrEqual(model.value.low);
      expect(value).toBeLessThanOrEqual(model.value.high);
    }
  });

  it('divides values only if it must', () => {
    expect(divisorOf({ low: 0.5, high: 12_000 })).toBe(1);
    expect(divisorOf({ low: 0, high: 0 })).toBe(1);
    expect(divisorOf({ low: -2e20, high: 1 })).toBe(1e20);
  });

  it('labels its axis with the decimals that the step needs', () => {
    expect(axisLabel(0.85, 0.05, { divisor: 1, unit: null })).toBe('0.85');
    expect(axisLabel(0.30000000000000004, 0.1, { divisor: 1, unit: '%' })).toBe('0.3 %');
    expect(axisLabel(-12_000, 2_000, { divisor: 1, unit: 'ms' })).toBe('−12,000');
    expect(axisLabel(1.5, 0.5, { divisor: 1e300, unit: null })).toBe('1.5e+300');
  });

  it('says what the average is made of only if it is so', () => {
    expect(averageCount(series([1, 3, 2], { moving_avg: [1, 2, 2] }))).toBe(3);
    expect(averageCount(series([1, 3, 2], { moving_avg: [1, 2, 2.5] }))).toBeNull();
    expect(averageCount(series([]))).toBeNull();
  });

  it('says of a run that its limits are new', () => {
    const limits = { critical_threshold: [0.7, 0.8], warning_threshold: [null, null] };
    expect(pointWhy(series([0.9, 0.9], limits), 1, true)).toBe(
      '0.1 above 0.8; outlier; critical limit changed from 0.7 to 0.8',
    );
    expect(pointWhy(series([0.9, 0.9], limits), 0, false)).toBe('0.2 above 0.7');
    expect(pointWhy(series([null]), 0, false)).toBe('not a number');
  });
});

describe('addresses and programs', () => {
  it('link to runs beside a known one, with ids as text', () => {
    expect(runUrl('https://m.example/x/#/experiments/1/runs/a', '7/8', 'b c')).toBe(
      'https://m.example/x/#/experiments/7%2F8/runs/b%20c',
    );
  });

  it('quote names with any characters', () => {
    const source = { address: 'http://m/p', application: `o'n"e`, metric: 'm\n' };
    const text = (name: string) => SNIPPETS.find((each) => each.name === name)?.text(source) ?? '';
    expect(text('DuckDB')).toContain(`application = 'o''n"e'`);
    expect(text('Streamlit')).toContain(String.raw`st.title("o'n\"e: m\n")`);
  });
});
