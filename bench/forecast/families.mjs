/** Simulated series with known levels. All random numbers come from a seed: every run sees the same series. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 5);

/** Uniform random numbers in [0, 1) from a seed: the generator "mulberry32" of T. Ettinger. */
function uniformFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x = (x + Math.imul(x ^ (x >>> 7), x | 61)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Random numbers of several distributions. */
function randomFrom(seed) {
  const uniform = uniformFrom(seed);
  const between = (low, high) => low + (high - low) * uniform();
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const exponential = () => -Math.log(1 - uniform());
  /** Student's t with three degrees of freedom. */
  const heavy = () => normal() / Math.sqrt((normal() ** 2 + normal() ** 2 + normal() ** 2) / 3);
  return { uniform, between, normal, exponential, heavy, sign: () => (uniform() < 0.5 ? -1 : 1) };
}

/** Times of runs that a schedule starts every `gap` ms; each starts up to 2 % late. */
const scheduled = (gap) => (random, n) =>
  Float64Array.from({ length: n }, (_, i) => Math.round(START + (i + 0.02 * random.uniform()) * gap));

/** Times of runs that people start: bursts, single runs and quiet days. */
function byHand(random, n) {
  const times = new Float64Array(n);
  let time = START;
  for (let i = 0; i < n; i++) {
    const kind = random.uniform();
    time += random.exponential() * (kind < 0.4 ? 20 * MINUTE : kind < 0.95 ? 8 * HOUR : 48 * HOUR);
    times[i] = Math.round(time);
  }
  return times;
}

/** A level that wanders: each step is `size` times the root of the gap in units of 6 hours. */
function walk(random, times, size) {
  let level = 0;
  return times.map((time, i) => {
    if (i > 0) level += size * Math.sqrt((time - times[i - 1]) / (6 * HOUR)) * random.normal();
    return level;
  });
}

/** A level whose slope wanders and fades. */
function wanderingTrend(random, times, slopeSize, levelSize) {
  let level = 0;
  let slope = slopeSize * 3 * random.normal();
  return times.map((time, i) => {
    if (i === 0) return level;
    const gap = (time - times[i - 1]) / (6 * HOUR);
    slope = slope * 0.98 ** gap + slopeSize * Math.sqrt(gap) * random.normal();
    level += slope * gap + levelSize * Math.sqrt(gap) * random.normal();
    return level;
  });
}

const plus = (levels, noise) => levels.map((level) => level + noise());

function trendFrom(random, n, first) {
  const times = scheduled(6 * HOUR)(random, n);
  const slope = random.sign() * random.between(0.02, 0.15);
  const wander = walk(random, times, 0.05);
  const levels = times.map((_, i) => 50 + slope * Math.max(0, i - first) + wander[i]);
  return { times, levels, values: plus(levels, random.normal) };
}

/**
 * Each family makes the times, levels and values of n points; the noise has a standard deviation of 1, unless it says
 * otherwise. `domain` are the limits of the values; `breaks` are the indices from which the level has changed suddenly.
 */
const MAKERS = {
  level: (random, n) => {
    const times = scheduled(6 * HOUR)(random, n);
    const levels = times.map(() => 50);
    return { times, levels, values: plus(levels, random.normal) };
  },
  drift: (random, n) => trendFrom(random, n, 0),
  'trend begins': (random, n) => trendFrom(random, n, random.between(0, 0.7) * n),
  step: (random, n) => {
    const times = scheduled(6 * HOUR)(random, n);
    const at = Math.floor(random.between(0.15, 0.85) * n);
    const size = random.sign() * random.between(5, 40);
    const levels = times.map((_, i) => 50 + (i >= at ? size : 0));
    return { times, levels, values: plus(levels, random.normal), breaks: [at] };
  },
  outliers: (random, n) => {
    const times = scheduled(6 * HOUR)(random, n);
    const levels = walk(random, times, 0.05);
    const outlier = () =>
      random.uniform() < 0.03 ? random.sign() * random.between(10, 40) : random.normal();
    return { times, levels, values: plus(levels, outlier) };
  },
  'daily pattern': (random, n) => {
    const times = scheduled(HOUR)(random, n);
    const levels = walk(random, times, 0.1);
    const [size, phase] = [random.between(1.5, 4), random.uniform()];
    const second = random.between(0, 0.5);
    const pattern = (time) => {
      const turn = 2 * Math.PI * (time / (24 * HOUR) + phase);
      return size * (Math.sin(turn) + second * Math.cos(2 * turn));
    };
    return { times, levels, values: levels.map((level, i) => level + pattern(times[i]) + random.normal()) };
  },
  'irregular gaps': (random, n) => {
    const times = byHand(random, n);
    const levels = wanderingTrend(random, times, 0.02, 0.2);
    return { times, levels, values: plus(levels, random.normal) };
  },
  bounded: (random, n) => {
    const times = scheduled(6 * HOUR)(random, n);
    const wander = walk(random, times, 0.15);
    const levels = wander.map((x) => 1 / (1 + Math.exp(-3 - x)));
    const values = levels.map((level) => Math.min(1, Math.max(0, level + 0.03 * random.normal())));
    return { times, levels, values, domain: { min: 0, max: 1 } };
  },
  'heavy tails': (random, n) => {
    const times = scheduled(6 * HOUR)(random, n);
    const levels = walk(random, times, 0.1);
    return { times, levels, values: plus(levels, random.heavy) };
  },
  constant: (random, n) => {
    const times = scheduled(6 * HOUR)(random, n);
    const levels = times.map(() => 0.973);
    return { times, levels, values: levels.slice() };
  },
  'random walk': (random, n) => {
    const times = scheduled(6 * HOUR)(random, n);
    const levels = walk(random, times, 1);
    return { times, levels, values: levels.slice() };
  },
};

export const FAMILIES = Object.keys(MAKERS);

/** Runs take up to this long; a run counts for a forecast once it has ended. */
const LONGEST_RUN = 2 * HOUR;

/**
 * A series of a family.
 * @param number which one of the family, from 0
 * @returns {{ times: Float64Array, ends: Float64Array, values: Float64Array, levels: Float64Array,
 *   domain?: { min: number, max: number }, breaks?: number[] }}
 */
export function simulate(family, number, n) {
  const random = randomFrom(7919 * (FAMILIES.indexOf(family) + 1) + number);
  const series = MAKERS[family](random, n);
  return { ...series, ends: series.times.map((time) => time + Math.round(LONGEST_RUN * random.uniform())) };
}
