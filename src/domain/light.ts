import type { DomainSettings, Light, RunCounts } from './model.js';

export const NO_RUNS: RunCounts = {
  total: 0,
  critical: 0,
  invalid: 0,
  warning: 0,
  healthy: 0,
  unmonitored: 0,
  running: 0,
  failed: 0,
};

export function addCounts(a: RunCounts, b: RunCounts): RunCounts {
  return {
    total: a.total + b.total,
    critical: a.critical + b.critical,
    invalid: a.invalid + b.invalid,
    warning: a.warning + b.warning,
    healthy: a.healthy + b.healthy,
    unmonitored: a.unmonitored + b.unmonitored,
    running: a.running + b.running,
    failed: a.failed + b.failed,
  };
}

/** Rates in percent; null if the denominator is 0. */
export interface Rates {
  readonly evaluated: number;
  readonly pass_rate: number | null;
  readonly strict_pass_rate: number | null;
  readonly coverage: number | null;
}

export function rates(counts: RunCounts): Rates {
  const evaluated = counts.total - counts.unmonitored;
  const percent = (part: number, whole: number) => (whole === 0 ? null : (100 * part) / whole);
  return {
    evaluated,
    pass_rate: percent(counts.healthy + counts.warning, evaluated),
    strict_pass_rate: percent(counts.healthy, evaluated),
    coverage: percent(evaluated, counts.total),
  };
}

type LightSettings = Pick<
  DomainSettings,
  | 'light_span_hours'
  | 'critical_runs_percent'
  | 'pass_rate_percent'
  | 'warning_runs_percent'
  | 'failed_runs_percent'
>;

/** The child runs that do not count. */
export interface ChildCounts {
  readonly children: number;
  readonly critical_children: number;
}

/**
 * The light over the runs of a span, and the reason in one sentence. A share equal to a limit gets the better light. The
 * sentences are published: a change of one needs a new version of the rules.
 * @param uncounted the child runs of the span that do not count; undefined: the reason does not name runs that do not count
 */
export function light(
  counts: RunCounts,
  settings: LightSettings,
  uncounted?: ChildCounts,
): { light: Light; reason: string } {
  const { total, critical, invalid, warning, healthy, failed } = counts;
  const { evaluated } = rates(counts);
  if (total === 0) {
    const left = uncounted ? uncountedParts(uncounted, counts.running) : [];
    const span = `in the last ${settings.light_span_hours} h`;
    const reason = left.length === 0 ? `No run ${span}.` : `No run that counts ${span}: ${left.join('; ')}.`;
    return { light: 'no_data', reason };
  }
  const passed = healthy + warning;
  const {
    critical_runs_percent: criticalLimit,
    pass_rate_percent: passLimit,
    warning_runs_percent: warningLimit,
    failed_runs_percent: failedLimit,
  } = settings;
  const limitIs = (limit: number) => `the limit is ${limit} %.`;
  if (comparePercent(critical, evaluated, criticalLimit) > 0) {
    const reason = `${partOf(critical, evaluated, 'critical')}; ${limitIs(criticalLimit)}`;
    return { light: 'critical', reason };
  }
  if (comparePercent(passed, evaluated, passLimit) < 0) {
    return {
      light: 'critical',
      reason: `The pass rate is ${percentText(passed, evaluated)}; ${limitIs(passLimit)}`,
    };
  }
  if (comparePercent(critical + invalid, evaluated, warningLimit) > 0) {
    const reason = `${partOf(critical + invalid, evaluated, 'critical or invalid')}; ${limitIs(warningLimit)}`;
    return { light: 'warning', reason };
  }
  if (comparePercent(healthy, evaluated, passLimit) < 0) {
    return {
      light: 'warning',
      reason: `The strict pass rate is ${percentText(healthy, evaluated)}; ${limitIs(passLimit)}`,
    };
  }
  if (comparePercent(failed, total, failedLimit) > 0) {
    const reason = `${failed} of ${runs(total)} failed (${percentText(failed, total)}); ${limitIs(failedLimit)}`;
    return { light: 'warning', reason };
  }
  if (evaluated === 0) {
    return {
      light: 'unmonitored',
      reason: total === 1 ? 'The run has no threshold.' : `None of the ${runs(total)} has a threshold.`,
    };
  }
  return { light: 'healthy', reason: healthyReason(counts, evaluated) };
}

function uncountedParts({ children, critical_children }: ChildCounts, running: number): string[] {
  const critical = critical_children > 0 ? ` (${critical_children} critical)` : '';
  return [
    children === 0
      ? ''
      : `${runs(children)} ${children === 1 ? 'is a child' : 'are children'} of another run and not counted${critical}`,
    running === 0 ? '' : `${runs(running)} ${running === 1 ? 'has' : 'have'} not ended`,
  ].filter((part) => part !== '');
}

function healthyReason(
  { total, critical, invalid, warning, healthy, unmonitored }: RunCounts,
  evaluated: number,
) {
  const without = unmonitored === 1 ? '1 has' : `${unmonitored} have`;
  if (healthy === evaluated) {
    if (unmonitored === 0) return total === 1 ? 'The run is healthy.' : `All ${total} runs are healthy.`;
    const all =
      evaluated === 1
        ? 'The run with a threshold is healthy'
        : `All ${evaluated} runs with a threshold are healthy`;
    return `${all}; ${without} none.`;
  }
  const parts = [
    warning === 1 ? '1 is a warning' : warning > 1 ? `${warning} are warnings` : '',
    critical > 0 ? `${critical} ${isOrAre(critical)} critical` : '',
    invalid > 0 ? `${invalid} ${isOrAre(invalid)} invalid` : '',
    unmonitored > 0 ? `${without} no threshold` : '',
  ].filter((part) => part !== '');
  return `${healthy} of ${runs(total)} ${isOrAre(healthy)} healthy, ${parts.join(', ')}.`;
}

const runs = (count: number): string => (count === 1 ? '1 run' : `${count} runs`);
const isOrAre = (count: number): string => (count === 1 ? 'is' : 'are');
const partOf = (part: number, whole: number, what: string): string =>
  `${part} of ${runs(whole)} ${isOrAre(part)} ${what} (${percentText(part, whole)})`;

/** A percentage with one decimal, rounded half up from the exact fraction: `37.5 %`. */
function percentText(part: number, whole: number): string {
  const tenths = Math.floor((2000 * part + whole) / (2 * whole));
  return `${Math.floor(tenths / 10)}.${tenths % 10} %`;
}

/** Decimals that a limit may have. Up to 15 significant digits, a double converts back to the decimal that was configured. */
const DECIMALS = 6;

/** The sign of 100·part − limit·whole, computed exactly: the limit is the configured decimal number, not its double. */
export function comparePercent(part: number, whole: number, limit: number): number {
  if (whole === 0) return 0;
  const text = limit.toFixed(DECIMALS).replace('.', '');
  const difference = 100n * BigInt(part) * 10n ** BigInt(DECIMALS) - BigInt(text) * BigInt(whole);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}
