import type { DomainSettings, Light, RunCounts, Window } from '../domain/model.js';
import { addDays, dayOf, dayStart, daysOf, hourOf, MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { type Rulebook, settingsOn } from '../state/rulebook.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { createRunsMacro } from '../storage/judged-runs.js';
import type { ObjectStore } from '../storage/object-store.js';
import { filesOf, type Published } from './published-objects.js';

/** Days that the page shows. */
export const DAYS_SHOWN = 30;

/** The counts of one application in one span. */
export interface SpanRow extends RunCounts, Window {
  readonly application: string;
}
/** The newest light with an eligible run of an application, or of the platform (`application` null). */
export interface LastLight {
  readonly application: string | null;
  /** The start of its hour, ms; null if there was no eligible run. */
  readonly hour: number | null;
  readonly light: Light | null;
  readonly reason: string | null;
}
export interface LastRun {
  readonly application: string;
  readonly run_id: string;
  readonly run_name: string;
  readonly experiment_id: string;
  /** ms */
  readonly time: number;
}

/** A span and the settings it is judged by. */
export interface JudgedSpan extends Window {
  readonly settings: DomainSettings;
}
/** The current span, the one before it, and one for each day that the page shows. */
export interface Spans {
  readonly current: JudgedSpan;
  readonly before: JudgedSpan;
  /** Oldest first; the last is the current span. */
  readonly days: readonly { readonly day: string; readonly span: JudgedSpan }[];
}

export interface RollupRows {
  readonly spans: Spans;
  readonly rows: readonly SpanRow[];
  readonly lastLights: readonly LastLight[];
  readonly lastRuns: readonly LastRun[];
  /** Nothing is published in these days: there is no `shown_runs`. */
  readonly isEmpty?: true;
}

/**
 * @param now ms
 * @param settings used if the store has no rulebook yet
 */
export function spansAt(now: number, book: Rulebook | undefined, settings: DomainSettings): Spans {
  const span = (to: number, day: string): JudgedSpan => {
    const rules = book ? settingsOn(book, day) : settings;
    return { from: to - rules.light_span_hours * MS_PER_HOUR, to, settings: rules };
  };
  const today = dayOf(now);
  const current = span(hourOf(now) + MS_PER_HOUR, today);
  const days = Array.from({ length: DAYS_SHOWN }, (_, i) => addDays(today, i + 1 - DAYS_SHOWN));
  return {
    current,
    before: { ...current, from: 2 * current.from - current.to, to: current.from },
    days: days.map((day) => ({
      day,
      span: day === today ? current : span(dayStart(day) + MS_PER_DAY, day),
    })),
  };
}

/** The number of days, up to and including today, whose objects are needed for these spans. */
export function daysRead({ current }: Spans): number {
  return DAYS_SHOWN + Math.ceil((2 * (current.to - current.from)) / MS_PER_DAY);
}

/** The run counts of the spans, the last lights and the last runs, from the published hours and runs. Makes `shown_runs`. */
export async function loadRollups(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  spans: Spans,
): Promise<RollupRows> {
  const { current, before, days } = spans;
  const all = [before, ...days.map(({ span }) => span)];
  const hoursFrom = Math.min(...all.map(({ from }) => from));
  const read = daysOf({ from: hoursFrom, to: current.to });
  const shown = days.map(({ day }) => day);
  const [summaries, platform, runs] = await Promise.all([
    filesOf(store, published, 'application_summary', read),
    filesOf(store, published, 'platform_summary', shown),
    filesOf(store, published, 'runs', shown),
  ]);
  if (summaries.length === 0 || platform.length === 0 || runs.length === 0) {
    return { spans, rows: [], lastLights: [], lastRuns: [], isEmpty: true };
  }
  const to = BigInt(current.to);
  await createRunsMacro(session);
  await session.run(sql(import.meta.url, './sql/shown_runs.sql'), {
    runs,
    count_nested_runs: current.settings.count_nested_runs,
  });
  return {
    spans,
    rows: await session.rows(sql(import.meta.url, './sql/spans.sql'), {
      summaries,
      froms: all.map(({ from }) => String(from)),
      tos: all.map((span) => String(span.to)),
    }),
    lastLights: await session.rows(sql(import.meta.url, './sql/last_lights.sql'), {
      summaries,
      platform,
      to,
    }),
    lastRuns: await session.rows(sql(import.meta.url, './sql/last_runs.sql'), { to }),
  };
}
