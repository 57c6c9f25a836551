import type { MetricNow } from '../../../src/dashboard/contract/metrics.js';
import { formatQuantity } from '../../../src/domain/format.js';
import { Copy } from '../frame/copy.jsx';
import { plural } from '../words/words.js';

type Option = NonNullable<MetricNow['suggestion']>['options'][number];

/** The limits that `suggest` would propose for a metric without a threshold, and what they would mark. */
export function Suggestion({ metric }: { metric: MetricNow }) {
  const { suggestion, unit } = metric;
  if (!suggestion) return null;
  const { values, options, direction } = suggestion;
  if (options.length === 0) {
    return (
      <p class="suggestion">
        No suggestion:{' '}
        {values < 20 ? `${plural(values, 'value')}, 20 are needed` : 'the values are too similar'}.
      </p>
    );
  }
  return (
    <div class="suggestion">
      {options.map((option) => (
        <p key={String(option.higher_is_better)}>
          {direction === null && `If ${option.higher_is_better ? 'higher' : 'lower'} is better: `}
          {optionText(option, unit)}. It would mark {option.critical} of {values} values critical and{' '}
          {option.warning} warning. <Copy text={yaml(metric.name, option)}>Copy for the catalog</Copy>
        </p>
      ))}
    </div>
  );
}

function optionText(
  { higher_is_better, critical_threshold, warning_threshold }: Option,
  unit: string | null,
) {
  const side = higher_is_better ? 'below' : 'above';
  const warning = `warning ${side} ${formatQuantity(warning_threshold, unit)}`;
  return critical_threshold === null
    ? `Suggested: ${warning}`
    : `Suggested: ${warning}, critical ${side} ${formatQuantity(critical_threshold, unit)}`;
}

/** A row of the catalog file. JSON strings are valid YAML. */
function yaml(name: string, { critical_threshold, warning_threshold }: Option): string {
  const critical = critical_threshold === null ? '' : `critical_threshold: ${critical_threshold}, `;
  return `  - { metric_name: ${JSON.stringify(name)}, ${critical}warning_threshold: ${warning_threshold} }\n`;
}
