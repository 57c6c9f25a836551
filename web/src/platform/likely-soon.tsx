import type { Likely, PlatformCurrent } from '../../../src/dashboard/contract.js';
import { formatQuantity, formatWithUnit } from '../../../src/domain/format.js';
import { applicationPath, metricPath } from '../frame/routes.js';
import { Sparkline } from '../marks/sparkline.jsx';
import { Age, LikelyStatus } from '../marks/status.jsx';
import { serviceTime } from '../service/clock.js';
import { likelyText } from '../words/likely.js';
import { keepUnits } from '../words/words.js';

/** Metrics that are likely to cross a limit. They are no statuses, and no light depends on them. */
export function LikelySoon({ listed, current }: { listed: readonly Likely[]; current: PlatformCurrent }) {
  if (listed.length === 0) return null;
  return (
    <section aria-labelledby="likely-soon">
      <h2 id="likely-soon">Likely soon, by the forecast</h2>
      <ul class="attention">
        {listed.map((each) => (
          <Row key={each.application} each={each} to={current.to} />
        ))}
      </ul>
    </section>
  );
}

function Row({ each, to }: { each: Likely; to: string }) {
  const { application, metric, next, owner, run } = each;
  const limit = metric[`${next}_threshold`];
  return (
    <li>
      <div class="when">
        <LikelyStatus of={next} />
      </div>
      <div class="what">
        <h3>
          <a href={applicationPath(application)}>{application}</a>{' '}
          <span>
            <a href={metricPath(application, metric.name)}>{metric.display_name}</a>
          </span>
        </h3>
        <p>{keepUnits(likelyText(each, serviceTime.value))}</p>
        <p class="evidence">
          {owner && <span>{owner}</span>}
          <a href={run.url}>{run.run_name}</a>
          <Age at={run.at} after=" ago" />
        </p>
      </div>
      <div class="value">
        <b>{keepUnits(formatQuantity(metric.value, metric.unit, limit))}</b>
        {limit !== null && (
          <span>
            {next} {metric.higher_is_better ? 'below' : 'above'}{' '}
            {keepUnits(formatWithUnit(limit, metric.unit))}
          </span>
        )}
      </div>
      <div class="picture">
        <Sparkline metric={metric} shown={run.at} to={to} />
      </div>
    </li>
  );
}
