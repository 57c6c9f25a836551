/**
 * Compares the bytes of parameters, forecasts and predictions between releases of Node.js:
 *
 *   node test/independent/node-versions.mjs <another node program> …
 *
 * Without arguments it prints the digest of its own. Uses the build.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

const FORECAST = join(import.meta.dirname, '../../dist/domain/forecast');
const [{ fitForecast }, { forecastAhead }, { lastPoints }, { continueTail, dayOfSeries }] = await Promise.all(
  ['fit', 'forecast-ahead', 'points', 'tail'].map((name) => import(`${FORECAST}/${name}.js`)),
);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SERIES = 60;

/** A series from integers alone: what may differ between releases must not be part of the input. */
function series(number) {
  let state = number + 1;
  const uniform = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const noise = () => uniform() + uniform() + uniform() + uniform() - 2;
  let time = Date.UTC(2026, 2, 2);
  let level = 0;
  const n = 5 + ((number * 37) % 196);
  const times = Float64Array.from({ length: n }, () => {
    time += number % 3 === 0 ? HOUR : Math.round(6 * HOUR * uniform());
    return time;
  });
  const pattern = number % 5 === 0 ? 3 : 0;
  const values = times.map((at, i) => {
    level += (number % 4) * 0.1 * noise() + (number % 7) * 0.02;
    return level + noise() + pattern * Math.abs(((at / DAY) % 1) - 0.5) + (i % 41 === 17 ? 30 : 0);
  });
  return { times, values };
}

/** The predictions of each day. */
function* predictionsByDay(times, values) {
  let tail;
  for (let day = Math.floor(times[0] / DAY) * DAY; day <= times[times.length - 1]; day += DAY) {
    const isOfDay = (_, i) => times[i] >= day && times[i] < day + DAY;
    const rows = { day, times: times.filter(isOfDay), values: values.filter(isOfDay) };
    if (rows.times.length === 0) continue;
    const continued = continueTail(dayOfSeries(tail, rows, 90 * DAY));
    tail = continued.tail;
    yield continued.predictions;
  }
}

function digest() {
  const hash = createHash('sha256');
  for (let number = 0; number < SERIES; number++) {
    const { times, values } = series(number);
    const last = times[times.length - 1];
    const points = lastPoints(times, values, { end: times.length, after: last - 90 * DAY, before: last + 1 });
    const parameters = fitForecast(points);
    hash.update(JSON.stringify(parameters));
    for (const numbers of Object.values(forecastAhead(points, parameters)))
      hash.update(Buffer.from(numbers.buffer));
    for (const numbers of predictionsByDay(times, values)) hash.update(Buffer.from(numbers.buffer));
  }
  return hash.digest('hex');
}

const others = process.argv.slice(2);
const own = digest();
if (others.length === 0) console.log(own);
for (const node of others) {
  const other = execFileSync(node, [import.meta.filename], { encoding: 'utf8' }).trim();
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  console.log(`${process.version} ${own.slice(0, 12)}, ${version} ${other.slice(0, 12)}`);
  if (other !== own) process.exitCode = 1;
}
