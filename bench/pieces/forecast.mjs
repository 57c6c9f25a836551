import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BreachScore } from '../forecast/breaches.mjs';
import { assess, forecastFrom, Score } from '../forecast/evaluate.mjs';
import { FAMILIES, simulate } from '../forecast/families.mjs';
import { METHODS } from '../forecast/methods.mjs';
import { drawCalibration } from '../forecast/picture.mjs';
import { measureFits } from '../forecast/speed.mjs';
import { ROOT } from '../lib/processes.mjs';
import { median } from '../lib/statistics.mjs';

export const title = 'how good the forecasts are';
export const sizes = {
  series: [100, 4],
  points: [
    [20, 60, 200],
    [20, 60],
  ],
  'fit-seconds': [5, 1],
};

/** The bands of these must hold at least what they promise, those of others within 4 points. */
const AT_LEAST = ['constant', 'bounded'];
/** A step and the begin of a trend are not foreseeable: they have no goal, but steps have one by their distance. */
const NOT_FORESEEABLE = ['step', 'trend begins'];
const TOLERANCE = 4;
/** The MASE of two equally good forecasts of so many series differs by this share. */
const MASE_TOLERANCE = 0.02;
/** Points after a step that the forecast knows. */
const AFTER_STEP = [1, 2, 3, 4, 6, 10, 20];
const LEARNED = 3;
const BREACH_FAMILIES = ['level', 'drift', 'trend begins', 'irregular gaps', 'random walk', 'outliers'];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 5);

const methods = ['product', ...Object.keys(METHODS)];
const scoreIn = (scores, name) => {
  scores[name] ??= new Score();
  return scores[name];
};

function simulated({ sizes, print }) {
  const [families, counts, steps, breaches] = [{}, {}, {}, new BreachScore()];
  for (const family of FAMILIES) {
    for (const n of sizes.points) {
      for (let number = 0; number < sizes.series; number++) {
        const series = simulate(family, 1000 * n + number, n + Math.ceil(n / 3) + 12);
        const result = forecastFrom(series, series.times[n - 1] + MINUTE);
        if (!result) continue;
        const assessed = assess(series, result);
        scoreIn(families, family).add(assessed);
        scoreIn(counts, `${family}: ${n}`).add(assessed);
        if (BREACH_FAMILIES.includes(family)) breaches.add(series, result);
        if (series.breaks) addSteps(steps, series);
      }
    }
    print(`${family}: ${families[family].forecasts} forecasts`);
  }
  return { families, counts, steps, breaches };
}

/** Forecasts at some distances from the step of a series. */
function addSteps(steps, series) {
  const [at] = series.breaks;
  for (const known of AFTER_STEP) {
    if (at + known >= series.times.length) return;
    const result = forecastFrom(series, series.times[at + known - 1] + 3 * HOUR);
    if (result) scoreIn(steps, String(known)).add(assess(series, result));
  }
}

/** Rolling origins over series that others measured; their points are placed at the distances that the file gives. */
function publicSeries({ quick, print }) {
  const list = JSON.parse(readFileSync(join(ROOT, 'bench/forecast/public-series.json'), 'utf8'));
  const scores = {};
  for (const { name, hoursApart, values } of list) {
    const times = Float64Array.from(values, (_, i) => START + i * hoursApart * HOUR);
    const series = { times, values: Float64Array.from(values) };
    const step = quick ? 60 : 7;
    for (let n = 40; n < values.length; n += step) {
      const result = forecastFrom(series, times[n - 1] + MINUTE);
      if (result) scoreIn(scores, name).add(assess(series, result));
    }
    print(`${name}: ${scores[name].forecasts} forecasts`);
  }
  return { list, scores };
}

const accuracyColumns = [
  ...methods.map((name) => `MASE, ${name}`),
  'last value shown, %',
  '80 % band, %',
  '95 % band, %',
];
const accuracyRow = (name, score) => [
  name,
  ...methods.map((method) => score.mase(method)),
  score.naivePercent,
  score.coverage80,
  score.coverage95,
];
const accuracyTable = (first, scores) => ({
  columns: [first, ...accuracyColumns],
  rows: Object.entries(scores).map(([name, score]) => accuracyRow(name, score)),
});

const greatest = (list, measure) => list.reduce((a, b) => (measure(b[1]) > measure(a[1]) ? b : a));
const ratioOf = (score) => score.againstNaive.ratio;
const distanceOf = ({ coverage80, coverage95 }) =>
  Math.max(Math.abs(coverage80 - 80), Math.abs(coverage95 - 95));
const excessOf = ({ coverage80, coverage95 }) => Math.min(coverage80 - 80, coverage95 - 95);

/** The goals are about the worst of several scores. */
function accuracyGoals(families, steps) {
  const foreseeable = Object.entries(families).filter(([family]) => !NOT_FORESEEABLE.includes(family));
  const learned = Object.entries(steps)
    .filter(([known]) => Number(known) >= LEARNED)
    .map(([known, score]) => [`${known} points after a step`, score]);
  const [generous, others] = [true, false].map((wanted) =>
    foreseeable.filter(([family]) => AT_LEAST.includes(family) === wanted),
  );
  const error = (what, list) => {
    const [name, score] = greatest(list, ratioOf);
    const measured = ratioOf(score);
    return { what: `${what} (${name})`, unit: '× last value', measured, atMost: 1 + MASE_TOLERANCE };
  };
  const distance = (what, list) => {
    const [name, score] = greatest(list, distanceOf);
    return { what: `${what} (${name})`, unit: 'points', measured: distanceOf(score), atMost: TOLERANCE };
  };
  const [least, score] = greatest(generous, (each) => -excessOf(each));
  return [
    error('worst MASE', foreseeable),
    distance('bands off by', others),
    {
      what: `${AT_LEAST.join(', ')}: bands hold (${least})`,
      unit: '% of 100',
      measured: 100 + excessOf(score),
      atLeast: 100,
    },
    error('after a step: MASE', learned),
    distance('after a step: bands off by', learned),
  ];
}

function breachResults({ breaches }) {
  const { calls, right, crossings, leads, misses, notEarlier, bins } = breaches;
  const percent = (part, whole) => (whole === 0 ? 100 : (100 * part) / whole);
  const precision = percent(right, calls);
  return {
    precision,
    tables: [
      {
        columns: ['breaches', ''],
        rows: [
          ['announced', calls],
          ['of these crossed the limit within the horizon, %', precision],
          ['limits crossed within the horizon', crossings],
          ['of these announced, %', percent(right, crossings)],
          ['median time from the announcement to the crossing, % of the horizon', 100 * median(leads)],
          ['median distance of the expected time, % of the horizon', 100 * median(misses)],
          ['crossed at or after the earliest time, %', percent(notEarlier, right)],
        ],
      },
      {
        columns: ['announced probability at the end of the horizon, %', 'forecasts', 'mean, %', 'crossed, %'],
        rows: bins
          .map(({ forecasts, announced, beyond }, i) => [
            `${10 * i} to ${10 * (i + 1)}`,
            forecasts,
            percent(announced, forecasts),
            percent(beyond, forecasts),
          ])
          .filter(([, forecasts]) => forecasts > 0),
      },
    ],
  };
}

export async function run({ sizes, quick, print }) {
  const results = simulated({ sizes, print });
  const known = publicSeries({ quick, print });
  const breaches = breachResults(results);
  const speed = measureFits(FAMILIES, sizes['fit-seconds']);
  return {
    picture: drawCalibration(results.families, results.breaches.bins),
    tables: [
      accuracyTable('family', results.families),
      accuracyTable('points after a step', results.steps),
      accuracyTable('public series', known.scores),
      ...breaches.tables,
      accuracyTable('family: points', results.counts),
    ],
    goals: [
      ...accuracyGoals(results.families, results.steps),
      { what: 'announced breaches that happen', unit: '%', measured: breaches.precision, atLeast: 80 },
      {
        what: 'fits of 200 points per second and core',
        unit: 'fits',
        measured: 1000 / speed.mean,
        atLeast: 700,
      },
      { what: 'slowest fit', unit: 'ms of CPU', measured: speed.slowest, atMost: 50 },
    ],
    notes: [
      'Rolling origins: only runs that had ended by the origin are known. The horizon is that of the product.',
      'The series of the calibration are others than those by which the constants of the product were chosen.',
      'MASE: the mean absolute error, divided by the mean absolute difference of two points in sequence.',
      ...known.list.map(
        ({ name, what, source, licence }) => `${name}: ${what}. Source: ${source}, ${licence}.`,
      ),
    ],
    raw: {
      speed,
      relativeToNaive: Object.fromEntries(
        Object.entries(results.families).map(([name, score]) => [name, score.againstNaive]),
      ),
      bins: results.breaches.bins,
    },
  };
}
