import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { type ApplicationSpec, MARKETS } from './applications.js';
import { type Scenario, type Span, within } from './scenario.js';
import { SeededRandom } from './seeded-random.js';

/** From `founded` on, when somebody watches, the company works this many times faster. */
const LIVE_PACE = 17;
const NIGHTLY_MS = 1.5 * MS_PER_HOUR;
const LATEST_MS = 600_000;
const WEEKEND_SHARE = 0.65;
/** Runs a day, from which on some may be left out at a weekend and enough are left. */
const OFTEN = 10;

/** A time at which an application runs; its name never changes. */
export interface ScheduledRun {
  readonly spec: ApplicationSpec;
  readonly name: string;
  readonly start: number;
  readonly market: string;
  /** Goes on where the slot's own numbers end. */
  readonly chance: SeededRandom;
  readonly live: boolean;
}

/** When an application runs within a span. */
export function scheduledRuns(story: Scenario, spec: ApplicationSpec, span: Span): ScheduledRun[] {
  const slots =
    spec.rhythm === 'nightly' ? nights(story, spec, span) : steady(story, spec, spec.rhythm, span);
  return slots.filter(
    ({ start }) => within(start, span) && start >= story.begins && !within(start, story.outage),
  );
}

function nights(story: Scenario, spec: ApplicationSpec, { from, to }: Span): ScheduledRun[] {
  const slots: ScheduledRun[] = [];
  const first = Math.max(0, Math.floor((from - story.begins) / MS_PER_DAY) - 1);
  for (let night = first; story.begins + night * MS_PER_DAY < to; night++) {
    for (const [i, market] of MARKETS.entries()) {
      const name = `${spec.name}/night-${night}/${market}`;
      const chance = new SeededRandom(story.seed, name);
      const late = chance.between(0, LATEST_MS);
      const start = Math.round(story.begins + night * MS_PER_DAY + NIGHTLY_MS + i * MS_PER_HOUR + late);
      const stopped = story.stopped.application === spec.name && start >= story.stopped.from;
      if (!stopped) slots.push({ spec, name, start, market, chance, live: false });
    }
  }
  return slots;
}

function steady(story: Scenario, spec: ApplicationSpec, perDay: number, { from, to }: Span): ScheduledRun[] {
  const slots: ScheduledRun[] = [];
  const epochs = [
    { live: false, begin: story.begins, end: story.founded, interval: MS_PER_DAY / perDay },
    { live: true, begin: story.founded, end: Infinity, interval: MS_PER_DAY / perDay / LIVE_PACE },
  ];
  for (const { live, begin, end, interval } of epochs) {
    const last = Math.min(to, end);
    for (let k = Math.max(0, Math.floor((from - begin) / interval) - 1); begin + k * interval < last; k++) {
      const name = `${spec.name}/${live ? 'live' : 'run'}-${k}`;
      const chance = new SeededRandom(story.seed, name);
      const start = Math.round(begin + (k + chance.next()) * interval);
      const weekend = perDay > OFTEN && [0, 6].includes(new Date(start).getUTCDay());
      if (start >= end || (!live && weekend && chance.next() > WEEKEND_SHARE)) continue;
      slots.push({ spec, name, start, market: chance.pick(MARKETS), chance, live });
    }
  }
  return slots;
}
