import {
  digestOfRows,
  type KnownFits,
  RememberedFit,
  type TailRow,
} from '../../../src/aggregation/tail-rows.js';
import { fitForecast } from '../../../src/domain/forecast/fit.js';
import { continueTail } from '../../../src/domain/forecast/tail.js';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import { allPoints, MONDAY, regular } from '../../support/forecast-series.js';
import { noiseFrom } from '../../support/noise.js';

const noise = noiseFrom(4);
const series = regular(40, 0.5, () => noise());
const points = allPoints(series);

describe('a remembered fit', () => {
  it('is what a fit gives, also after it was stored as JSON', () => {
    const remembered = new RememberedFit(new Map(), 2);
    expect(remembered.fit(points)).toEqual(fitForecast(points));
    expect(JSON.parse(remembered.parameters ?? '')).toEqual(fitForecast(points));
    expect(remembered.fit(allPoints(regular(3, 1, noise)))).toBeUndefined();
    expect(remembered.parameters).toBeNull();
  });

  it('is used for the same points and the same rules only', () => {
    const first = new RememberedFit(new Map(), 2);
    first.fit(points);
    const stored = '{"method":"stored"}';
    const known = (): KnownFits => new Map([[first.digest, stored]]);
    const again = new RememberedFit(known(), 2);
    expect(again.fit(points)).toEqual({ method: 'stored' });
    expect(again.parameters).toBe(stored);
    expect(new RememberedFit(known(), 3).fit(points)).toEqual(fitForecast(points));
    const other = { ...points, values: points.values.map((value, i) => (i === 7 ? value + 1e-9 : value)) };
    expect(new RememberedFit(known(), 2).fit(other)).toEqual(fitForecast(other));
  });
});

describe('the digest of what a later day goes on from', () => {
  const { tail, predictions } = continueTail(undefined, { day: MONDAY, ...series }, 90 * MS_PER_DAY);
  const row: TailRow = {
    application: 'churn',
    metric_name: 'loss',
    tail,
    parameters: '{}',
    digest: 'a',
    predictions,
  };

  it('changes with the names and points of each series, not with what belongs to the day', () => {
    const digest = digestOfRows([row]);
    const sameTail = { ...row, predictions: new Float64Array(40), parameters: null, digest: 'b' };
    expect(digestOfRows([sameTail])).toBe(digest);
    const others: TailRow[] = [
      { ...row, application: 'chur', metric_name: 'nloss' },
      { ...row, tail: { ...tail, times: tail.times.slice(1), values: tail.values.slice(1) } },
      { ...row, tail: { ...tail, times: tail.times.map((time) => time + 1) } },
      { ...row, tail: { ...tail, values: tail.values.map((value) => -value) } },
    ];
    const digests = [[], [row, row], ...others.map((other) => [other])].map(digestOfRows);
    expect(new Set([digest, ...digests]).size).toBe(digests.length + 1);
  });
});
