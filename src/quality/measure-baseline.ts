import { groupBy } from '../domain/group-by.js';
import type { Baseline } from '../domain/quality/measure.js';
import { median, usualPeriod } from '../domain/run-frequency.js';
import { addDays, dayOf } from '../domain/time.js';
import { type Duck, sql } from '../storage/duck.js';
import { createDayViews } from './day-views.js';
import { runningRuns } from './measure-day.js';

const WEEKS = 4;
/** With fewer weeks it is unknown what is usual on a weekday. */
const FEWEST_WEEKS = 3;
/** The days from which durations are known. */
const DURATION_DAYS = 7;

/** The local files of a dataset on UTC days. */
export type FilesOf = (dataset: 'runs' | 'application_summary', days: readonly string[]) => Promise<string[]>;

const daysBefore = (day: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => addDays(day, -1 - i));

/**
 * What is usual on a day, from the days before it: how often applications run, how many runs they have on the weekday of the day
 * before it, and how long runs of experiments take.
 */
export async function measureBaseline(duck: Duck, filesOf: FilesOf, day: string): Promise<Baseline> {
  const summaries = await filesOf('application_summary', daysBefore(day, 7 * WEEKS + 1));
  const runs = await filesOf('runs', daysBefore(day, DURATION_DAYS));
  return duck.session(async (session) => {
    const hours =
      summaries.length === 0
        ? []
        : await session.rows<{ application: string; hour: number; runs: number }>(
            sql(import.meta.url, './sql/hourly_runs.sql'),
            { files: summaries },
          );
    await createDayViews(session, { runs, enriched_metrics: [], quarantine: [] });
    const durations = await session.rows<{ experiment_id: string; duration: number }>(
      sql(import.meta.url, './sql/durations.sql'),
    );
    const byApplication = groupBy(hours, ({ application }) => application);
    const stored = new Set(hours.map(({ hour }) => dayOf(hour)));
    const weekdays = Array.from({ length: WEEKS }, (_, i) => addDays(day, -1 - 7 * (i + 1)));
    const compared = weekdays.filter((each) => stored.has(each));
    const usual: Record<string, number> = {};
    const periods: Record<string, number> = {};
    const newest: Record<string, number> = {};
    for (const [application, each] of byApplication) {
      const times = each.map(({ hour }) => hour);
      const period = usualPeriod(times);
      newest[application] = times.at(-1) ?? 0;
      if (period !== null) periods[application] = period;
      if (compared.length < FEWEST_WEEKS) continue;
      usual[application] = median(compared.map((one) => runsOn(each, one)));
    }
    return {
      day,
      runs: usual,
      periods,
      newest,
      durations: Object.fromEntries(
        durations.map(({ experiment_id, duration }) => [experiment_id, duration]),
      ),
      running: await runningRuns(session),
    };
  });
}

const runsOn = (hours: readonly { readonly hour: number; readonly runs: number }[], day: string): number =>
  hours.filter(({ hour }) => dayOf(hour) === day).reduce((sum, { runs }) => sum + runs, 0);
