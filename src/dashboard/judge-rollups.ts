import { groupBy } from '../domain/group-by.js';
import { addCounts, type ChildCounts, light, NO_RUNS, type Rates, rates } from '../domain/light.js';
import type { Light, RunCounts, Window } from '../domain/model.js';
import { needsAttention } from '../domain/needs-attention.js';
import { compareText } from '../domain/text.js';
import type { JudgedSpan, LastLight, LastRun, RollupRows, SpanRow } from './load-rollups.js';
import type { SilentRun, UncountedOf } from './load-uncounted.js';

export interface Rollup extends RunCounts, Rates {
  readonly light: Light;
  readonly reason: string;
}

/** The current and past rollups of an application or of the platform. */
export interface History {
  readonly now: Rollup;
  readonly pass_rate_trend: number | null;
  readonly days: readonly Rollup[];
  /** The previous light, if there is no data now; else null. */
  readonly last_known: { readonly hour: number; readonly light: Light; readonly reason: string } | null;
}
export interface ApplicationHistory extends History {
  readonly application: string;
  readonly last_run: LastRun | null;
  readonly needs_attention: boolean;
  /** While it has no data: its first run that seems to have died. Else null. */
  readonly silent: SilentRun | null;
}

export interface Judgement {
  readonly platform: History;
  /** Sorted by name. */
  readonly applications: readonly ApplicationHistory[];
}

/**
 * Computes the lights of the applications and of the platform.
 * @param uncounted the child runs that do not count, by application and span
 * @param silent runs that seem to have died, oldest first
 */
export function judgeRollups(
  { spans, rows, lastLights, lastRuns }: RollupRows,
  uncounted: readonly UncountedOf[] = [],
  silent: readonly SilentRun[] = [],
): Judgement {
  const byApplication = groupBy(rows, ({ application }) => application);
  const lastRunOf = new Map(lastRuns.map((run) => [run.application, run]));
  const lastLightOf = new Map(lastLights.map((last) => [last.application, last]));
  const uncountedOf = groupBy(uncounted, ({ application }) => application);
  const silentOf = groupBy(silent, ({ application }) => application);
  // Applications whose runs all are children are in no summary.
  const listed = lastLights.flatMap(({ application }) => application ?? []);
  const names = [...new Set([...listed, ...uncountedOf.keys()])].sort(compareText);
  const history = (
    own: readonly SpanRow[],
    last: LastLight | undefined,
    left: readonly UncountedOf[],
  ): History => {
    const judge = (span: JudgedSpan) => rollUp(own, left, span);
    const now = judge(spans.current);
    const [rate, before] = [now.pass_rate, judge(spans.before).pass_rate];
    return {
      now,
      pass_rate_trend: rate === null || before === null ? null : rate - before,
      days: spans.days.map(({ span }) => (span === spans.current ? now : judge(span))),
      last_known: now.light === 'no_data' ? lastKnown(last) : null,
    };
  };
  return {
    platform: history(rows, lastLightOf.get(null), uncounted),
    applications: names.map((application) => {
      const own = history(
        byApplication.get(application) ?? [],
        lastLightOf.get(application),
        uncountedOf.get(application) ?? [],
      );
      const isSilent = own.now.light === 'no_data' && silentOf.get(application)?.[0];
      const last_run = lastRunOf.get(application) ?? null;
      return {
        application,
        ...own,
        last_run,
        needs_attention:
          needsAttention(own.now.light, last_run?.time ?? null, spans.current.to) || Boolean(isSilent),
        silent: isSilent || null,
      };
    }),
  };
}

const isOf =
  ({ from, to }: Window) =>
  (row: Window): boolean =>
    row.from === from && row.to === to;

function rollUp(rows: readonly SpanRow[], uncounted: readonly UncountedOf[], span: JudgedSpan): Rollup {
  const counts = rows.filter(isOf(span)).reduce<RunCounts>((sum, row) => addCounts(sum, row), NO_RUNS);
  const left = uncounted.filter(isOf(span)).reduce<ChildCounts>(
    (sum, { children, critical_children }) => ({
      children: sum.children + children,
      critical_children: sum.critical_children + critical_children,
    }),
    { children: 0, critical_children: 0 },
  );
  return { ...counts, ...rates(counts), ...light(counts, span.settings, left) };
}

function lastKnown(last: LastLight | undefined): History['last_known'] {
  if (!last || last.hour === null || last.light === null || last.reason === null) return null;
  return { hour: last.hour, light: last.light, reason: last.reason };
}
