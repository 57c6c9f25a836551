import type { ApplicationNow } from '../../../src/dashboard/contract.js';
import type { Light } from '../../../src/domain/model.js';
import { changeQuery, queryOf } from '../frame/router.js';
import { applicationPath } from '../frame/routes.js';
import { Age, Status } from '../marks/status.jsx';
import { cellTitle, Strip } from '../marks/strip.jsx';
import { VirtualList } from '../marks/virtual-list.jsx';
import { keepUnits, LIGHT_LABELS, LIGHT_ORDER, listOf, percent, runsText } from '../words/words.js';
import type { Listed } from './filter.js';

/** The worst applications that are shown as cards. The others are folded into a list of rows. */
const CARDS = 30;
const ROW_HEIGHT = 40;

/** The applications, the worst status first. */
export function Applications({
  shown,
  days,
  filtered,
}: {
  shown: readonly Listed[];
  days: readonly string[];
  filtered: boolean;
}) {
  const rest = shown.slice(CARDS).map(({ now }) => now);
  return (
    <section aria-labelledby="applications">
      <h2 id="applications">{filtered ? 'Applications that match' : 'Applications'}</h2>
      <ul class="applications">
        {shown.slice(0, CARDS).map(({ now }) => (
          <Card key={now.application} each={now} dates={days} />
        ))}
      </ul>
      {rest.length > 0 && <Rest rest={rest} days={days} />}
    </section>
  );
}

function Rest({ rest, days }: { rest: readonly ApplicationNow[]; days: readonly string[] }) {
  const open = queryOf('all') !== null;
  return (
    <>
      <button
        type="button"
        class="fold"
        aria-expanded={open}
        onClick={() => changeQuery({ all: open ? null : '1' })}
      >
        {open ? 'Fold' : 'Show'} the other {rest.length.toLocaleString('en')}: {countsText(rest)}
      </button>
      {open && (
        <VirtualList
          items={rest}
          rowHeight={ROW_HEIGHT}
          label="Other applications"
          keyOf={({ application }) => application}
        >
          {(each) => <Row each={each} dates={days} />}
        </VirtualList>
      )}
    </>
  );
}

/** `920 healthy and 40 no thresholds` */
function countsText(applications: readonly ApplicationNow[]): string {
  const count = (light: Light) => applications.filter((each) => each.light === light).length;
  const present = LIGHT_ORDER.filter((light) => count(light) > 0);
  return listOf(
    present.map((light) => `${count(light).toLocaleString('en')} ${LIGHT_LABELS[light].toLowerCase()}`),
  );
}

interface Shown {
  readonly each: ApplicationNow;
  readonly dates: readonly string[];
}

const Days = ({ each: { days }, dates }: Shown) => (
  <Strip
    cells={days.map((day, i) => ({
      light: day.light,
      title: cellTitle(dates[i] ?? '', day.light, runsText(day.total)),
    }))}
  />
);

const Rate = ({ each: { pass_rate } }: { each: ApplicationNow }) =>
  pass_rate === null ? null : (
    <span class="rate" title="pass rate">
      {percent(pass_rate)}
    </span>
  );

function Card({ each, dates }: Shown) {
  const { application, light, reason, last_run, last_known, running, needs_attention } = each;
  return (
    <li class={needs_attention ? 'flagged' : ''}>
      <p class="top">
        <Status of={light} />
        <Rate each={each} />
      </p>
      <h3>
        <a href={applicationPath(application)}>{application}</a>
      </h3>
      <Days each={each} dates={dates} />
      <p class="reason">{keepUnits(reason)}</p>
      <p class="last">
        {last_run && <Age at={last_run.at} before="last run " after=" ago" />}
        {last_known && `, last status ${LIGHT_LABELS[last_known.light].toLowerCase()}`}
        {running > 0 && `, ${running} running`}
      </p>
    </li>
  );
}

function Row({ each, dates }: Shown) {
  const { application, light, last_run } = each;
  return (
    <>
      <Status of={light} />
      <a class="name" href={applicationPath(application)}>
        {application}
      </a>
      <Days each={each} dates={dates} />
      <Rate each={each} />
      <span class="quiet">{last_run && <Age at={last_run.at} after=" ago" />}</span>
    </>
  );
}
