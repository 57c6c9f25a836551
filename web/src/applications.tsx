import type { ApplicationNow, PlatformCurrent } from '../../src/dashboard/contract.js';
import type { Light } from '../../src/domain/model.js';
import { Age, Status } from './parts.jsx';
import { cellTitle, Strip } from './strip.jsx';
import { LIGHT_WORDS, percent, runsText } from './words.js';

const ORDER: readonly Light[] = ['critical', 'warning', 'no_data', 'healthy', 'unmonitored'];

/** Every application, the worst first. */
export function Applications({ now }: { now: PlatformCurrent }) {
  const sorted = [...now.applications].sort((a, b) => ORDER.indexOf(a.light) - ORDER.indexOf(b.light));
  return (
    <section aria-labelledby="applications">
      <h2 id="applications">Applications</h2>
      <ul class="applications">
        {sorted.map((each) => (
          <Card key={each.application} each={each} dates={now.days} />
        ))}
      </ul>
    </section>
  );
}

function Card({ each, dates }: { each: ApplicationNow; dates: readonly string[] }) {
  const { application, light, reason, pass_rate, last_run, last_known, running, needs_attention } = each;
  return (
    <li class={needs_attention ? 'needy' : ''}>
      <p class="top">
        <Status light={light} />
        {pass_rate !== null && (
          <span class="rate" title="pass rate">
            {percent(pass_rate)}
          </span>
        )}
      </p>
      <h3>{application}</h3>
      <Strip
        small
        cells={each.days.map((day, i) => ({
          light: day.light,
          title: cellTitle(dates[i] ?? '', day.light, runsText(day.total)),
        }))}
      />
      <p class="reason">{reason}</p>
      <p class="last">
        {last_run && <Age at={last_run.at} before="last run " after=" ago" />}
        {last_known && `, ${LIGHT_WORDS[last_known.light].toLowerCase()} then`}
        {running > 0 && `, ${running} running`}
      </p>
    </li>
  );
}
