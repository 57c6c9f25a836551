import { fitAsJson, fitHere, KnownFits, parametersOf } from '../../../src/aggregation/known-fits.js';
import { fitForecast } from '../../../src/domain/forecast/fit.js';
import type { Points } from '../../../src/domain/forecast/points.js';
import { allPoints, regular } from '../../support/forecast-series.js';
import { noiseFrom } from '../../support/noise.js';

const noise = noiseFrom(4);
const points = allPoints(regular(40, 0.5, () => noise()));
const few = allPoints(regular(3, 1, noise));

/** What a fit that nobody else returns gives. */
const stored = '{"method":"stored"}';

async function learned(known: KnownFits, of: Points) {
  await known.learn([of], fitHere);
  return known.storedOf(of);
}

describe('known fits', () => {
  it('are what a fit gives, as JSON; null if there is no forecast', async () => {
    const known = new KnownFits(2);
    expect(await learned(known, points)).toEqual({
      parameters: fitAsJson(points),
      digest: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(parametersOf(known.storedOf(points))).toEqual(fitForecast(points));
    expect((await learned(known, few)).parameters).toBeNull();
    expect(parametersOf(known.storedOf(few))).toBeUndefined();
  });

  it('are used for the same points and the same rules only', async () => {
    const { digest } = await learned(new KnownFits(2), points);
    const knownBy = (rules: number) => {
      const known = new KnownFits(rules);
      known.add({ digest, parameters: stored });
      return known;
    };
    const same = { ...points, values: points.values.slice() };
    expect((await learned(knownBy(2), same)).parameters).toBe(stored);
    expect((await learned(knownBy(3), points)).parameters).toBe(fitAsJson(points));
    const other = { ...points, values: points.values.map((value, i) => (i === 7 ? value + 1e-9 : value)) };
    expect((await learned(knownBy(2), other)).parameters).toBe(fitAsJson(other));
  });

  it('asks for points once, even if there is no forecast for them', async () => {
    const asked: number[] = [];
    const known = new KnownFits(2);
    const fitAll = (all: readonly Points[]) => {
      asked.push(all.length);
      return fitHere(all);
    };
    await known.learn([points, few, { ...points }], fitAll);
    await known.learn([points, few], fitAll);
    expect(asked).toEqual([2, 0]);
  });
});
