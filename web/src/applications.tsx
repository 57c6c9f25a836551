import type { ApplicationNow, PlatformCurrent } from '../../src/dashboard/contract.js';
import type { Light } from '../../src/domain/model.js';
import { Age, Status } from './parts.jsx';
import { cellTitle, Strip } from './strip.jsx';
import { keepUnits, LIGHT_LABELS, percent, runsText } from './text.js';

const ORDER: readonly Light[] = ['critical', 'warning', 'no_data', 'healthy', 'unmonitored'];

/** All applications, the worst status first. */
export function Applications({ current }: { current: PlatformCurrent }) {
  const sorted = [...current.applications].sort((a, b) => ORDER.indexOf(a.light) - ORDER.indexOf(b.light));
  return (
    <section aria-labelledby="applications">
      <h2 id="applications">Applications</h2>
      <ul class="applications">
        {sorted.map((each) => (
          <Card key={each.application} each={each} dates={current.days} />
        ))}
      </ul>
    </section>
  );
}

function Card({ each, dates }: { each: ApplicationNow; dates: readonly string[] }) {
  const { application, light, reason, pass_rate, last_run, last_known, running, needs_attention } = each;
  return (
    <li class={needs_attention ? 'flagged' : ''}>
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
        cells={each.days.map((day, i) => ({
          light: day.light,
          title: cellTitle(dates[i] ?? '', day.light, runsText(day.total)),
        }))}
      />
      <p class="reason">{keepUnits(reason)}</p>
      <p class="last">
        {last_run && <Age at={last_run.at} before="last run " after=" ago" />}
        {last_known && `, last status ${LIGHT_LABELS[last_known.light].toLowerCase()}`}
        {running > 0 && `, ${running} running`}
      </p>
    </li>
  );
}
