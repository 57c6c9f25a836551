import type { PlatformCurrent } from '../../../src/dashboard/contract.js';
import type { MetricStatus } from '../../../src/domain/model.js';
import { Shape, Status } from '../marks/status.jsx';
import { cellTitle, Timeline } from '../marks/strip.jsx';
import { Trend } from '../marks/trend.jsx';
import { keepUnits, percent, runsText } from '../words/words.js';
import { headline, unjudgedText } from './headline.js';

/** The headline, the numbers behind it, and the platform's status on the days before. */
export function Hero({ current }: { current: PlatformCurrent }) {
  const { platform, days } = current;
  const hours = (Date.parse(current.to) - Date.parse(current.from)) / 3_600_000;
  const { light, text } = headline(current);
  return (
    <section class="hero" aria-labelledby="headline">
      <div>
        <p class="kicker">
          <Status of={light} />
        </p>
        <h1 id="headline">{text}</h1>
        <p class="reason">
          All runs of the last {hours}&nbsp;h together: <Status of={platform.light} />.{' '}
          {keepUnits([platform.reason, unjudgedText(current)].join(' '))}
        </p>
      </div>
      <Facts platform={platform} hours={hours} />
      <Composition platform={platform} />
      <Timeline
        cells={platform.days.map(({ light, reason, total }, i) => ({
          light,
          title: cellTitle(days[i] ?? '', light, total === 0 ? 'No runs that day.' : reason),
        }))}
        dates={days}
      />
    </section>
  );
}

type Platform = PlatformCurrent['platform'];

function Facts({ platform, hours }: { platform: Platform; hours: number }) {
  const { pass_rate, pass_rate_trend: trend, total, running, failed, coverage } = platform;
  const details = [running > 0 ? `${running} running` : '', failed > 0 ? `${failed} failed` : ''].filter(
    Boolean,
  );
  return (
    <dl class="facts">
      <div>
        <dt>pass rate{trend === null ? '' : <Trend points={trend} hours={hours} />}</dt>
        <dd>{percent(pass_rate)}</dd>
      </div>
      <div>
        <dt>
          {total === 1 ? 'run' : 'runs'} in {hours} h{details.length > 0 ? `, ${details.join(', ')}` : ''}
        </dt>
        <dd>{total.toLocaleString('en')}</dd>
      </div>
      <div>
        <dt>of runs have a threshold</dt>
        <dd>{percent(coverage)}</dd>
      </div>
    </dl>
  );
}

const PARTS: readonly [status: MetricStatus, label: string][] = [
  ['critical', 'critical'],
  ['invalid', 'invalid'],
  ['warning', 'warning'],
  ['healthy', 'healthy'],
  ['unmonitored', 'without threshold'],
];

/** The runs of the span by status, as a proportional bar with a legend. */
function Composition({ platform }: { platform: Platform }) {
  const parts = PARTS.filter(([status]) => platform[status] > 0);
  if (parts.length === 0) return null;
  return (
    <div class="composition">
      <div class="bar" aria-hidden="true">
        {parts.map(([status]) => (
          <span key={status} class={`part ${status}`} style={{ flexGrow: platform[status] }} />
        ))}
      </div>
      <ul aria-label={`${runsText(platform.total)} by status`}>
        {parts.map(([status, label]) => (
          <li key={status}>
            <Shape of={status} />
            <b>{platform[status].toLocaleString('en')}</b> {label}
          </li>
        ))}
      </ul>
    </div>
  );
}
