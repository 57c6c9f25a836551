import { groupBy } from '../domain/group-by.js';
import { addCounts, light, NO_RUNS, type Rates, rates } from '../domain/light.js';
import type { Light, RunCounts } from '../domain/model.js';
import { needsAttention } from '../domain/needs-attention.js';
import type { JudgedSpan, LastLight, LastRun, RollupRows, SpanRow } from './load-rollups.js';

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
}

export interface Judgement {
  readonly platform: History;
  /** Sorted by name. */
  readonly applications: readonly ApplicationHistory[];
}

/** Computes the lights of the applications and of the platform. */
export function judgeRollups({ spans, rows, lastLights, lastRuns }: RollupRows): Judgement {
  const byApplication = groupBy(rows, ({ application }) => application);
  const lastRunOf = new Map(lastRuns.map((run) => [run.application, run]));
  const lastLightOf = new Map(lastLights.map((last) => [last.application, last]));
  const names = lastLights.flatMap(({ application }) => application ?? []);
  const history = (own: readonly SpanRow[], last: LastLight | undefined): History => {
    const judge = (span: JudgedSpan) => rollUp(own, span);
    const now = judge(spans.current);
    const [rate, before] = [now.pass_rate, judge(spans.before).pass_rate];
    return {
      now,
      pass_rate_trend: rate === null || before === null ? null : rate - before,
      days: spans.days.map(({ span }) => judge(span)),
      last_known: now.light === 'no_data' ? lastKnown(last) : null,
    };
  };
  return {
    platform: history(rows, lastLightOf.get(null)),
    applications: names.map((application) => {
      const own = history(byApplication.get(application) ?? [], lastLightOf.get(application));
      const last_run = lastRunOf.get(application) ?? null;
      return {
        application,
        ...own,
        last_run,
        needs_attention: needsAttention(own.now.light, last_run?.time ?? null, spans.current.to),
      };
    }),
  };
}

function rollUp(rows: readonly SpanRow[], { from, to, settings }: JudgedSpan): Rollup {
  const counts = rows
    .filter((row) => row.from === from && row.to === to)
    .reduce<RunCounts>((sum, row) => addCounts(sum, row), NO_RUNS);
  return { ...counts, ...rates(counts), ...light(counts, settings) };
}

function lastKnown(last: LastLight | undefined): History['last_known'] {
  if (!last || last.hour === null || last.light === null || last.reason === null) return null;
  return { hour: last.hour, light: last.light, reason: last.reason };
}
