import { rowAxis, stepsOn } from '../../../web/src/application/row-axis.js';

const DAY = 24 * 3_600_000;
const NOW = Date.parse('2026-11-24T11:00:00Z');
const span = { from: new Date(NOW - 8 * DAY).toISOString(), to: new Date(NOW).toISOString() };

const forecast = (...days: number[]) => {
  const values = days.map(() => 1);
  const columns = {
    forecast: values,
    lower_80: values,
    upper_80: values,
    lower_95: values,
    upper_95: values,
  };
  return {
    metric: 'm',
    fitted_at: span.to,
    points: 50,
    model: {},
    warning: null,
    critical: null,
    columns: { ...columns, time: days.map((day) => NOW + day * DAY) },
  };
};

describe('the time axis of the rows', () => {
  it('ends with the longest forecast, a quarter of the time after now at most', () => {
    expect(rowAxis(span, [forecast(0.5, 1), forecast(0.2)])).toEqual({
      low: NOW - 8 * DAY,
      now: NOW,
      high: NOW + DAY,
      share: 8 / 9,
    });
    const axis = rowAxis(span, [forecast(1, 2, 3)]);
    expect([axis.high, axis.share]).toEqual([NOW + 2 * DAY, 0.8]);
    expect(stepsOn(forecast(1, 2, 3), axis)).toEqual([0, 1]);
  });

  it('ends now without a forecast, or with one that is over', () => {
    expect(rowAxis(span, [])).toMatchObject({ high: NOW, share: 1 });
    expect(rowAxis(span, [forecast(-3, -2)])).toMatchObject({ high: NOW, share: 1 });
  });
});
