import type { Verdict } from '../../gate/contract.js';
import { describeMetric, headline } from './describe-verdict.js';

/** The characters that workflow commands of GitHub Actions escape: in messages, and also `:` and `,` in properties. */
const escaped = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const escapedProperty = (text: string): string => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** The verdict in the first line, then annotations: one for the verdict unless it is a pass, one per unhealthy metric. */
export function reportGithub(verdict: Verdict): string {
  const level = verdict.verdict === 'fail' ? 'error' : 'warning';
  const annotation = (kind: string, title: string, message: string) =>
    `::${kind} title=${escapedProperty(title)}::${escaped(message)}`;
  const unhealthy = verdict.metrics.filter(
    ({ status, fails }) => fails || ['invalid', 'warning'].includes(status),
  );
  return [
    headline(verdict),
    ...(verdict.verdict === 'pass' ? [] : [annotation(level, 'mlflow-monitor', headline(verdict))]),
    ...unhealthy.map((metric) =>
      annotation(
        metric.fails ? 'error' : 'warning',
        `mlflow-monitor: ${metric.metric_name}`,
        describeMetric(metric),
      ),
    ),
  ].join('\n');
}
