import { digestOfRows, type TailRow } from '../../../src/aggregation/tail-rows.js';
import { continueTail, dayOfSeries } from '../../../src/domain/forecast/tail.js';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import { MONDAY, regular } from '../../support/forecast-series.js';
import { noiseFrom } from '../../support/noise.js';

const noise = noiseFrom(4);
const series = regular(40, 0.5, () => noise());

describe('the digest of what a later day goes on from', () => {
  const { tail, predictions } = continueTail(
    dayOfSeries(undefined, { day: MONDAY, ...series }, 90 * MS_PER_DAY),
  );
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
