import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { PROCESS_METRICS } from './process-metrics.js';
import { SERVICE_METRICS } from './service-metrics.js';

export const PREFIX = 'mlflow_monitor_';

/** The metrics apart from those of Node.js, without the prefix. */
const METRICS = { ...SERVICE_METRICS, ...PROCESS_METRICS };

type Name = keyof typeof METRICS;
type Label<N extends Name> = (typeof METRICS)[N]['labels'][number];
interface MetricOf<L extends string> {
  readonly counter: Counter<L>;
  readonly gauge: Gauge<L>;
  readonly histogram: Histogram<L>;
}
export type Metrics = { readonly [N in Name]: MetricOf<Label<N>>[(typeof METRICS)[N]['type']] };

/** From stages without work to the download of a day of a large company. */
const BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** A new registry with these metrics and those of Node.js. */
export function createMetrics(): { readonly registry: Registry; readonly metrics: Metrics } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const created = Object.entries(METRICS).map(([name, { type, help, labels }]) => {
    const options = { name: PREFIX + name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') return [name, new Counter(options)];
    if (type === 'gauge') return [name, new Gauge(options)];
    return [name, new Histogram({ ...options, buckets: BUCKETS_SECONDS })];
  });
  return { registry, metrics: Object.fromEntries(created) as Metrics };
}
