import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { APPLICATIONS, STRICT_EXPERIMENT, STRICT_LIMITS } from './applications.js';
import type { FakeExperiment } from './fakes.js';
import { type Limits, METRICS, type MetricSpec } from './metrics.js';
import type { Scenario } from './scenario.js';

/** Where the trials of the sweep are logged. */
export const sweepExperiment = ({ sweep }: Scenario): string => `${sweep.application}-tuning`;

export function experimentsOf(story: Scenario): FakeExperiment[] {
  // The server's first experiment tells it from every other server.
  const created = story.founded - 400 * MS_PER_DAY - story.seed;
  const tagged = (application: string) => ({ application });
  const named: [string, Record<string, string>][] = [
    ['Default', {}],
    ...APPLICATIONS.map(({ name }): [string, Record<string, string>] => [name, {}]),
    [STRICT_EXPERIMENT, tagged('fraud-detection')],
    [sweepExperiment(story), tagged(story.sweep.application)],
  ];
  return named.map(([name, tags], i) => ({
    experiment_id: String(i),
    name,
    lifecycle_stage: 'active',
    tags,
    creation_time: created + i * MS_PER_HOUR,
  }));
}

/** Metadata and thresholds in the shape of the catalog's APIs. */
export function catalogOf({ founded }: Scenario, strictId: string): object {
  const specs: [string, MetricSpec][] = Object.entries(METRICS);
  const row = (metric_name: string, { warning, critical }: Limits, days: number, updated_by: string) => ({
    metric_name,
    critical_threshold: critical,
    warning_threshold: warning,
    updated_at: new Date(founded - days * MS_PER_DAY).toISOString(),
    updated_by,
  });
  return {
    metrics: specs.map(([metric_name, { label, unit, category, higher }]) => ({
      metric_name,
      display_name: label,
      ...(unit ? { unit } : {}),
      category,
      higher_is_better: higher,
    })),
    thresholds: [
      ...specs.flatMap(([name, { limits }]) => (limits ? [row(name, limits, 90, 'ml-platform')] : [])),
      ...Object.entries(STRICT_LIMITS).map(([name, limits]) => ({
        ...row(name, limits, 45, 'risk-office'),
        experiment_id: strictId,
      })),
    ],
  };
}
