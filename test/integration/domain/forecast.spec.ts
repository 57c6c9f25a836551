import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Deviance } from '../../../src/domain/forecast/deviance.js';
import { exp, log } from '../../../src/domain/forecast/elementary.js';
import type { Domain } from '../../../src/domain/forecast/forecast-ahead.js';
import { sizeToUnits } from '../../../src/domain/forecast/points.js';
import { SeriesState } from '../../../src/domain/forecast/series-state.js';
import { seriesStatistics, unitSeries } from '../../../src/domain/forecast/unit-series.js';
import { findProgram } from '../../support/find-program.js';
import { forecastOf, MONDAY, regular, type TestSeries } from '../../support/forecast-series.js';
import { findInEnvironment } from '../../support/mlflow-server.js';
import { noiseFrom } from '../../support/noise.js';
import { skipSuite } from '../../support/skip.js';

const program = (name: string) => join(import.meta.dirname, '../../independent', name);
const python = findProgram('python3');
const libraryPython = findInEnvironment('python');

const noise = noiseFrom(2026);
const HOUR = 3_600_000;

/** A wandering level at irregular times, some of them equal. */
function irregular(n: number): TestSeries {
  let [time, level] = [MONDAY, 0];
  const times = Float64Array.from({ length: n }, (_, i) => {
    if (i % 9 !== 4) time += Math.round(HOUR * (0.1 + 3 * noise() ** 2));
    return time;
  });
  const values = times.map(() => {
    level += 0.3 * noise();
    return level + noise();
  });
  return { times, values };
}

let walk = 0;
const CASES: Record<string, { series: TestSeries; domain?: Domain; method: 'trend' | 'naive' }> = {
  noise: { series: regular(200, 6, () => 50 + noise()), method: 'trend' },
  'ten points': { series: regular(10, 6, (i) => 3 * i + noise()), method: 'trend' },
  drift: { series: regular(120, 6, (i) => 0.3 * i + noise()), method: 'trend' },
  irregular: { series: irregular(150), method: 'trend' },
  'a step and outliers': {
    series: regular(160, 6, (i) => (i < 90 ? 0 : 40) + (i % 37 === 5 ? 60 : 0) + noise()),
    method: 'trend',
  },
  'large values': { series: regular(80, 6, () => 1e12 + 1e6 * noise()), method: 'trend' },
  'small values': { series: regular(80, 6, () => 1e-12 * noise()), method: 'trend' },
  'daily pattern': {
    series: regular(190, 1, (i) => 20 + 4 * Math.sin((2 * Math.PI * i) / 24) + noise()),
    method: 'trend',
  },
  bounded: {
    series: regular(100, 6, () => Math.min(1, 0.97 + 0.03 * noise())),
    domain: { min: 0, max: 1 },
    method: 'trend',
  },
  'random walk': {
    series: regular(150, 6, () => {
      walk += noise();
      return walk;
    }),
    method: 'naive',
  },
  'seven points': { series: regular(7, 6, noise), method: 'naive' },
};

function described(name: string) {
  const { series, domain = {} } = CASES[name] as (typeof CASES)[string];
  const result = forecastOf(series, domain);
  if (!result) throw new Error(`${name} has no forecast`);
  const { points, parameters, forecast } = result;
  const { times, values } = points;
  const first = { ...points, times: times.slice(0, 1), values: values.slice(0, 1) };
  const state = SeriesState.after(first, parameters);
  const predictions = Array.from(times.slice(1), (time, i) => {
    const prediction = state.predict(time);
    state.observe(time, values[i + 1] as number);
    return prediction;
  });
  const list = (numbers: Float64Array) => [...numbers];
  return {
    name,
    times: list(times),
    values: list(values),
    domain,
    parameters,
    predictions,
    exponent: points.exponent,
    deviance: devianceOf(result),
    forecast: Object.fromEntries(Object.entries(forecast).map(([key, numbers]) => [key, list(numbers)])),
  };
}

function devianceOf({ parameters, points }: NonNullable<ReturnType<typeof forecastOf>>) {
  if (parameters.method !== 'trend') return undefined;
  const series = unitSeries(points, parameters.season, parameters.meanGap);
  const model = {
    levelNoise: exp(parameters.logLevelNoise),
    slopeNoise: exp(parameters.logSlopeNoise),
    logDamping: log(1 - exp(parameters.logSlopeLoss)),
    initialSlopeVariance: parameters.initialSlopeVariance,
    clipDeviation: sizeToUnits(points, parameters.clipDeviation),
  };
  return new Deviance(series, seriesStatistics(series, points).floor).of(model);
}

const run = (interpreter: string, name: string, cases: readonly object[]) =>
  spawnSync(interpreter, [program(name)], {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });

if (!libraryPython)
  skipSuite('forecasts against statsmodels', 'a virtual environment (sh test/independent/venv.sh)');
else {
  it('the Kalman filter of statsmodels has the same predictions and likelihood', () => {
    const { status, stdout, stderr } = run(
      libraryPython,
      'forecast_library.py',
      Object.keys(CASES).map(described),
    );
    expect(stderr.trim()).toBe('');
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { compared: number }).compared).toBeGreaterThan(1000);
  });
}

if (!python) skipSuite('forecasts against an independent implementation', 'python3 on PATH');
else {
  describe('forecasts against an independent implementation with 34 digits', () => {
    const cases = Object.keys(CASES).map(described);
    const check = (list: readonly object[]) => run(python, 'forecast.py', list);

    it('the cases use what they are named after', () => {
      for (const { name, parameters } of cases) {
        expect([name, parameters.method]).toEqual([name, CASES[name]?.method]);
        expect([name, parameters.season !== undefined]).toEqual([name, name === 'daily pattern']);
      }
    });

    it('likelihood, predictions, levels, bands and the result of the search agree', () => {
      const { status, stdout, stderr } = check(cases);
      expect(stderr.trim()).toBe('');
      expect(status).toBe(0);
      const { compared, worst } = JSON.parse(stdout) as { compared: number; worst: number };
      expect(compared).toBeGreaterThan(3000);
      expect(worst).toBeLessThan(1e-9);
    });

    it('finds a difference', () => {
      const [first] = cases;
      const wrong = structuredClone(first) as NonNullable<typeof first>;
      (wrong.forecast.lower95 as number[])[23] = ((wrong.forecast.lower95 as number[])[23] as number) + 1e-6;
      const { status, stderr } = check([wrong]);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^noise: lower95 23: is /m);
    });
  });
}
