import { readdirSync, readFileSync } from 'node:fs';
import type { Metric } from 'prom-client';
import { parse } from 'yaml';
import { z } from 'zod';
import { withMetrics } from '../../../scripts/metrics-docs.js';
import { CHANNEL_TYPES } from '../../../src/alerts/channels/channel-table.js';
import { ALERT_CHANGES, ALERT_SEVERITIES } from '../../../src/domain/alerts/incident.js';
import { LIGHTS, PIPELINE_KINDS } from '../../../src/domain/model.js';
import { QUALITY_CHECKS, QUALITY_SEVERITIES } from '../../../src/domain/quality/checks.js';
import { APPLICATION_FAMILIES } from '../../../src/health/application-gauges.js';
import { createMetrics } from '../../../src/health/metrics.js';
import { JOB_STATES } from '../../../src/health/queue-facts.js';
import { STAGES } from '../../../src/pipeline/stage-contracts.js';
import { QUEUES } from '../../../src/queue/queue-names.js';
import { EXPERIMENT_STATES } from '../../../src/state/service-status.js';
import { ALERTS, ALERTS_FILE, RUNBOOK } from '../../support/alert-rules.js';
import { parsePromql } from '../../support/promql.js';

const PAGE = readFileSync('docs/metrics.md', 'utf8');
const { registry } = createMetrics();

/** The values of labels whose values are fixed. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  kind: PIPELINE_KINDS,
  light: LIGHTS,
  stage: STAGES,
  queue: QUEUES,
  state: [...EXPERIMENT_STATES, ...JOB_STATES],
  status: ['done', 'failed', 'cancelled'],
  change: ALERT_CHANGES,
  channel: CHANNEL_TYPES,
  check: QUALITY_CHECKS,
  family: APPLICATION_FAMILIES,
  severity: [...ALERT_SEVERITIES, ...QUALITY_SEVERITIES],
  object: ['dataset', 'state'],
  outcome: ['done', 'failed', 'retried', 'waiting', 'answered', 'delivered', 'retry', 'gone'],
  upstream: ['store', 'queue', 'mlflow', 'catalog'],
};
/** Labels that Prometheus adds. */
const ADDED = ['job', 'instance'];

/** The labels of a metric, by the name under which Prometheus stores it; `undefined` if there is no such metric. */
function labelsOf(name: string): readonly string[] | undefined {
  if (name === 'up') return [];
  const own = registry.getSingleMetric(name);
  if (own) return labelNames(own);
  const [, base = '', part] = /^(.+)_(bucket|sum|count)$/.exec(name) ?? [];
  const histogram = registry.getSingleMetric(base);
  return histogram && [...labelNames(histogram), ...(part === 'bucket' ? ['le'] : [])];
}
const labelNames = (metric: Metric): readonly string[] =>
  'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames : [];

/** The errors of an expression, in words. */
function errorsOf(expression: string): string[] {
  const { selectors, grouping } = parsePromql(expression);
  const known = selectors.map(({ metric }) => labelsOf(metric));
  const errors = selectors.flatMap(({ metric, matchers }, i) => {
    const labels = known[i];
    if (!labels) return [`${metric} is not a metric`];
    return matchers.flatMap(({ label, values }) => {
      if (ADDED.includes(label)) return [];
      if (!labels.includes(label)) return [`${metric} has no label ${label}`];
      return values
        .filter((value) => VALUES[label]?.includes(value) === false)
        .map((v) => `${label} is never ${v}`);
    });
  });
  const groups = new Set([...known.flatMap((labels) => labels ?? []), ...ADDED]);
  return [...errors, ...grouping.filter((label) => !groups.has(label)).map((label) => `grouped by ${label}`)];
}

it('docs/metrics.md lists the metrics of the registry (if not, run `npm run metrics`)', () => {
  expect(withMetrics(PAGE)).toBe(PAGE);
  expect(PAGE).toContain('`mlflow_monitor_watermark_lag_seconds`');
});

it('metric names follow the conventions of Prometheus', () => {
  const own = registry.getMetricsAsArray().filter(({ name }) => !/_(process|nodejs)_/.test(name));
  for (const { name, type, help } of own) {
    expect(name).toMatch(/^mlflow_monitor_[a-z]+(_[a-z]+)*$/);
    expect([name, name.endsWith('_total')]).toEqual([name, `${type}` === 'counter']);
    expect(name).not.toMatch(/(percent|milliseconds|_ms|minutes|hours)/);
    expect(help).toMatch(/\.$/);
  }
});

it('invalid expressions are detected', () => {
  expect(errorsOf('max(mlflow_monitor_nothing)')).toEqual(['mlflow_monitor_nothing is not a metric']);
  expect(errorsOf('mlflow_monitor_queue_paused{kind="delta"}')).toHaveLength(1);
  expect(errorsOf('mlflow_monitor_platform_light{light="red"}')).toEqual(['light is never red']);
  expect(errorsOf('max by (kind) (mlflow_monitor_queue_paused)')).toEqual(['grouped by kind']);
  expect(() => errorsOf('max(mlflow_monitor_queue_paused')).toThrow(SyntaxError);
});

describe('the alert rules', () => {
  it('query existing metrics, and so does the example in docs/metrics.md', () => {
    const [example = ''] = PAGE.match(/(?<=^ *expr: ).+$/m) ?? [];
    expect(errorsOf(example)).toEqual([]);
    expect(ALERTS.flatMap(({ expr }) => errorsOf(expr))).toEqual([]);
    expect(ALERTS.length).toBeGreaterThan(20);
  });

  it('link to their section in docs/runbook.md, and each section belongs to one', () => {
    const headings = [...readFileSync(RUNBOOK, 'utf8').matchAll(/^## (.+)$/gm)].map(([, name]) => name);
    expect(ALERTS.map(({ alert: name }) => name)).toEqual(headings);
    for (const { alert: name, annotations } of ALERTS) {
      expect(annotations.runbook_url).toBe(`${RUNBOOK}#${name.toLowerCase()}`);
    }
  });

  it('name in their texts only labels that their expression keeps', () => {
    for (const { alert, expr, annotations } of ALERTS) {
      const { grouping } = parsePromql(expr);
      const named = Object.values(annotations).flatMap((text) =>
        [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label),
      );
      expect([alert, named.filter((label) => !grouping.includes(`${label}`))]).toEqual([alert, []]);
    }
  });

  it('have the owner of the application as a label if they are about one', () => {
    for (const { alert, expr } of ALERTS) {
      const { grouping } = parsePromql(expr);
      expect([alert, grouping.includes('owner')]).toEqual([alert, grouping.includes('application')]);
    }
  });

  it('are the same for the Prometheus Operator (if not, run `npm run kubernetes`)', () => {
    const folder = 'deploy/kubernetes/prometheus-rule';
    const { resources } = parse(readFileSync(`${folder}/kustomization.yaml`, 'utf8'));
    expect(resources).toEqual(['prometheusrule.yaml']);
    const rule = parse(readFileSync(`${folder}/prometheusrule.yaml`, 'utf8'));
    expect([rule.apiVersion, rule.kind]).toEqual(['monitoring.coreos.com/v1', 'PrometheusRule']);
    expect(rule.spec).toEqual(parse(readFileSync(ALERTS_FILE, 'utf8')));
  });

  it('are loaded by the scrape configuration and use its job name', () => {
    const config = z
      .object({
        rule_files: z.array(z.string()),
        scrape_configs: z.array(z.object({ job_name: z.string() })),
      })
      .parse(parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8')));
    expect(config.rule_files).toEqual(['alerts.yml']);
    const jobs = ALERTS.flatMap(({ expr }) =>
      parsePromql(expr).selectors.flatMap(({ matchers }) => matchers),
    );
    const named = new Set(jobs.filter(({ label }) => label === 'job').flatMap(({ values }) => values));
    expect(config.scrape_configs.map(({ job_name }) => job_name)).toEqual([...named]);
  });
});

describe('the dashboards', () => {
  const folder = 'deploy/grafana/dashboards';
  const panel = z.object({
    id: z.int(),
    type: z.string(),
    title: z.string(),
    gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
    datasource: z.object({ uid: z.string() }).optional(),
    targets: z.array(z.object({ refId: z.string(), expr: z.string() })).optional(),
  });
  const annotation = z.object({ expr: z.string(), datasource: z.object({ uid: z.string() }) });
  const dashboards = readdirSync(folder).map((file) =>
    z
      .object({
        uid: z.string(),
        title: z.string(),
        templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string() })) }),
        annotations: z.object({ list: z.array(annotation) }),
        panels: z.array(panel),
      })
      .parse(JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'))),
  );
  const panels = dashboards.flatMap((dashboard) => dashboard.panels);

  it('query existing metrics, including those that on-call needs', () => {
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const marks = dashboards.flatMap(({ annotations }) => annotations.list.map(({ expr }) => expr));
    expect([...expressions, ...marks].flatMap(errorsOf)).toEqual([]);
    const all = expressions.join('\n');
    for (const name of [
      'platform_light',
      'application_light',
      'pipeline_last_success_timestamp_seconds',
      'watermark_lag_seconds',
      'runs_in_total',
      'runs_published_total',
      'runs_quarantined_total',
      'stage_duration_seconds_bucket',
      'queue_jobs',
      'upstream_up',
      'store_conflicts_total',
    ]) {
      expect(all).toContain(`mlflow_monitor_${name}`);
    }
  });

  it('are three, and use the data source that people choose', () => {
    expect(dashboards.map(({ uid }) => uid).sort()).toEqual(
      ['pipeline', 'platform', 'process'].map((name) => `mlflow-monitor-${name}`),
    );
    for (const { templating, annotations, panels: own } of dashboards) {
      expect(templating.list).toMatchObject([{ name: 'datasource', type: 'datasource' }]);
      const used = own.filter(({ type }) => type !== 'row').map(({ datasource }) => datasource?.uid);
      const all = [...used, ...annotations.list.map(({ datasource }) => datasource.uid)];
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana replaces it.
      expect([...new Set(all)]).toEqual(['${datasource}']);
    }
  });

  it('mark the changes of alerts and of the light', () => {
    for (const { annotations } of dashboards) {
      const marked = annotations.list.map(({ expr }) => expr).join('\n');
      expect(marked).toContain('mlflow_monitor_alert_transitions_total');
      expect(marked).toContain('mlflow_monitor_platform_light');
    }
  });

  it('have panels with unique ids that do not overlap', () => {
    for (const { panels: own } of dashboards) {
      expect(new Set(own.map(({ id }) => id)).size).toBe(own.length);
      const cells = own.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      expect(Math.max(...own.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
    }
  });
});
