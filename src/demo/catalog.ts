import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { APPLICATIONS, STRICT_EXPERIMENT, STRICT_LIMITS } from './applications.js';
import type { FakeExperiment } from './fakes.js';
import { type Limits, METRICS, type MetricSpec } from './metrics.js';
import type { Scenario } from './scenario.js';

/** The name of the experiment that holds the runs of the sweep. */
export const sweepExperiment = ({ sweep }: Scenario): string => `${sweep.application}-tuning`;

export function experimentsOf(scenario: Scenario): FakeExperiment[] {
  // The service identifies a tracking server by the creation time of its first experiment, so seeds must differ in it.
  const created = scenario.founded - 400 * MS_PER_DAY - scenario.seed;
  const tagged = (application: string) => ({ application });
  const named: [string, Record<string, string>][] = [
    ['Default', {}],
    ...APPLICATIONS.map(({ name }): [string, Record<string, string>] => [name, {}]),
    [STRICT_EXPERIMENT, tagged('fraud-detection')],
    [sweepExperiment(scenario), tagged(scenario.sweep.application)],
  ];
  return named.map(([name, tags], i) => ({
    experiment_id: String(i),
    name,
    lifecycle_stage: 'active',
    tags,
    creation_time: created + i * MS_PER_HOUR,
  }));
}

/** Metadata and thresholds in the format of the catalog APIs. */
export function catalogOf({ founded }: Scenario, strictExperimentId: string): object {
  const specs: [string, MetricSpec][] = Object.entries(METRICS);
  const row = (metric_name: string, { warning, critical }: Limits, ageDays: number, updated_by: string) => ({
    metric_name,
    critical_threshold: critical,
    warning_threshold: warning,
    updated_at: new Date(founded - ageDays * MS_PER_DAY).toISOString(),
    updated_by,
  });
  return {
    metrics: specs.map(([metric_name, { displayName, unit, category, higherIsBetter, min, max }]) => ({
      metric_name,
      display_name: displayName,
      ...(unit ? { unit } : {}),
      category,
      higher_is_better: higherIsBetter,
      ...(min === undefined ? {} : { min, max }),
    })),
    thresholds: [
      ...specs.flatMap(([name, { limits }]) => (limits ? [row(name, limits, 90, 'ml-platform')] : [])),
      ...Object.entries(STRICT_LIMITS).map(([name, limits]) => ({
        ...row(name, limits, 45, 'risk-office'),
        experiment_id: strictExperimentId,
      })),
    ],
  };
}
