// The MLflow runs of the benches, computed from their number: the same in each run, without a copy in memory.
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const EXPERIMENTS = 12;
const APPLICATIONS = 24;

/** A hash of two integers, an integer below 2³². */
function mix(a, b) {
  let h = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
const share = (a, b) => (mix(a, b) * 2 ** 21 + (mix(b, a + 77) >>> 11)) / 2 ** 53;
const hex = (a, b) => mix(a, b).toString(16).padStart(8, '0');

/**
 * `count` runs at equal distances from `from` to `to`, ms.
 * @typedef {{ seed: number, from: number, to: number, count: number, metrics: number, never_ended?: boolean }} Block
 */
export const startOf = ({ from, to, count }, i) => from + Math.floor((i * (to - from)) / count);

/** The first run of a block that starts at or after `time`. */
export function firstAt(block, time) {
  let [low, high] = [0, block.count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(block, middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const runIdOf = ({ seed }, i) => [0, 1, 2, 3].map((part) => hex(i, seed * 4 + part)).join('');

/** What searches filter and sort by. */
export function headOf(block, i) {
  const start_time = startOf(block, i);
  const failed = mix(i, block.seed) % 33 === 0;
  return {
    run_id: runIdOf(block, i),
    experiment_id: String(1 + (mix(i, 5) % EXPERIMENTS)),
    status: block.never_ended ? 'RUNNING' : failed ? 'FAILED' : 'FINISHED',
    start_time,
    end_time: block.never_ended ? null : start_time + 1_000 + (mix(i, 6) % 60_000),
  };
}

/** A complete run, as `TrackingServer` of src/demo stores it. */
export function runOf(block, i) {
  const head = headOf(block, i);
  return {
    ...head,
    run_name: `train-${block.seed}-${i}`,
    user_id: 'ada',
    lifecycle_stage: 'active',
    metrics: Array.from({ length: block.metrics }, (_, k) => ({
      key: `metric_${String(k).padStart(3, '0')}`,
      value: mix(i, k * 31) % 2_000 === 0 ? Number.NaN : 0.55 + 0.45 * share(i, k),
      step: i % 100,
      timestamp: head.start_time + k,
    })),
    params: { lr: String(share(i, 900)), epochs: String(1 + (i % 50)), optimizer: 'adam', seed: String(i) },
    tags: {
      application: `application-${mix(i, 7) % APPLICATIONS}`,
      'mlflow.user': ['ada', 'bo', 'chris'][i % 3],
      'mlflow.source.name': 'train.py',
    },
  };
}

/** Half of the metrics have thresholds; a few values lie beyond them. */
export const catalogOf = (metrics) => ({
  metrics: Array.from({ length: metrics }, (_, k) => ({
    metric_name: `metric_${String(k).padStart(3, '0')}`,
    display_name: `Metric ${k}`,
    unit: '%',
    higher_is_better: true,
  })),
  thresholds: Array.from({ length: Math.ceil(metrics / 2) }, (_, k) => ({
    metric_name: `metric_${String(k).padStart(3, '0')}`,
    critical_threshold: 0.555,
    warning_threshold: 0.57,
    updated_at: '2026-01-01T00:00:00Z',
  })),
});
