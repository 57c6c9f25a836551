import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PREFIX } from '../../../src/health/metrics.js';
import { SERVICE_METRICS } from '../../../src/health/service-metrics.js';

interface Declaration {
  readonly source_labels: readonly string[];
  readonly label_matcher: string;
  readonly dimensions: readonly (readonly string[])[];
  readonly metric_selectors: readonly string[];
}
const agent = JSON.parse(readFileSync('deploy/cloudwatch/amazon-cloudwatch-agent.json', 'utf8'));
const { emf_processor } = agent.logs.metrics_collected.prometheus;
const declarations: readonly Declaration[] = emf_processor.metric_declaration;
const metrics: Readonly<Record<string, { readonly labels: readonly string[] }>> = SERVICE_METRICS;

const nameOf = (selector: string) => selector.replace(/^\^|\$$/g, '').slice(PREFIX.length);

it('the CloudWatch agent asks for metrics that exist, by all of their labels', () => {
  for (const { metric_selectors, dimensions } of declarations) {
    for (const selector of metric_selectors) {
      expect(dimensions).toEqual([['job', ...(metrics[nameOf(selector)]?.labels ?? ['no such metric'])]]);
    }
  }
});

it('the units are of metrics that are sent', () => {
  const sent = declarations.flatMap(({ metric_selectors }) => metric_selectors.map(nameOf));
  const named = Object.keys(emf_processor.metric_unit).map((name) => name.slice(PREFIX.length));
  expect(named.filter((name) => !sent.includes(name))).toEqual([]);
});

it('the job of the scrape is the one that is matched', () => {
  const { scrape_configs } = parse(readFileSync('deploy/cloudwatch/prometheus.yaml', 'utf8'));
  for (const { source_labels, label_matcher } of declarations) {
    expect(source_labels).toEqual(['job']);
    expect(scrape_configs[0].job_name).toMatch(new RegExp(label_matcher));
  }
});
