import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import type { MetricStatus } from '../../src/domain/model.js';
import { Shape, Status } from './parts.jsx';
import { cellTitle, Strip } from './strip.jsx';
import { percent, runsText, sentence, shortDay } from './words.js';

/** The sentence, what it was decided from, and how it was on the days before. */
export function Hero({ now }: { now: PlatformCurrent }) {
  const { platform, days } = now;
  const hours = (Date.parse(now.to) - Date.parse(now.from)) / 3_600_000;
  return (
    <section class="hero" aria-labelledby="sentence">
      <div class="answer">
        <p class="kicker">
          <Status light={platform.light} />
          <span>platform, last {hours} h</span>
        </p>
        <h1 id="sentence">{sentence(now)}</h1>
        <p class="reason">{platform.reason}</p>
      </div>
      <Facts platform={platform} hours={hours} />
      <Composition platform={platform} />
      <div class="days">
        <Strip
          cells={platform.days.map(({ light, reason }, i) => ({
            light,
            title: cellTitle(days[i] ?? '', light, reason),
          }))}
        />
        <p class="scale" aria-hidden="true">
          {days.map((day, i) => {
            const today = i === days.length - 1;
            const named = today || ((days.length - 1 - i) % 7 === 0 && i > 0);
            return <span key={day}>{today ? 'today' : named && shortDay(day)}</span>;
          })}
        </p>
        <p class="legend">One mark a day: the worse, the taller; hatched where nothing ran.</p>
      </div>
    </section>
  );
}

type Platform = PlatformCurrent['platform'];

function Facts({ platform, hours }: { platform: Platform; hours: number }) {
  const { pass_rate, pass_rate_trend: trend, total, running, failed, coverage } = platform;
  const more = [running > 0 ? `${running} running` : '', failed > 0 ? `${failed} failed` : ''].filter(
    Boolean,
  );
  return (
    <dl class="facts">
      <div>
        <dt>pass rate{trend === null ? '' : <Trend points={trend} />}</dt>
        <dd>{percent(pass_rate)}</dd>
      </div>
      <div>
        <dt>
          {total === 1 ? 'run' : 'runs'} in {hours} h{more.length > 0 ? `, ${more.join(', ')}` : ''}
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

function Trend({ points }: { points: number }) {
  const rounded = Math.abs(points).toFixed(1);
  if (rounded === '0.0') return <>, as the day before</>;
  const way = points > 0 ? '▲' : '▼';
  const title = `${points > 0 ? 'up' : 'down'} ${rounded} points from the same span before`;
  return (
    <span title={title}>
      , {way}
      {'\u00a0'}
      {rounded} points
    </span>
  );
}

const PARTS: readonly [status: MetricStatus, word: string][] = [
  ['critical', 'critical'],
  ['invalid', 'invalid'],
  ['warning', 'warning'],
  ['healthy', 'healthy'],
  ['unmonitored', 'without threshold'],
];

/** The runs of the span by status, in proportion. */
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
        {parts.map(([status, word]) => (
          <li key={status}>
            <Shape of={status} />
            <b>{platform[status].toLocaleString('en')}</b> {word}
          </li>
        ))}
      </ul>
    </div>
  );
}
