/**
 * A model of `src/enrichment/sql/decide.sql`, for one run at a time. `test/integration/enrichment/merge-precedence.spec.ts`
 * compares the statement with it; `test/unit/enrichment/merge-precedence.spec.ts` proves the rule in simulated worlds.
 */
import { DATE_LAG_MS, type MergeDecision, type ResponseTime } from '../../../src/domain/merge-precedence.js';

/** A run as one response shows it. */
export interface ObservedRun extends ResponseTime {
  /** Digest of its content; null if MLflow no longer has the run. */
  readonly content: string | null;
}

/**
 * The last moment at which the server may have read its database for a response, ms by its clock. `Date` may be the time
 * when the request arrived (uvicorn) or when the response was sent (gunicorn), so the read happened between `began` and
 * the full duration of the request after `date`.
 */
export const latestReadTime = ({ date, began }: ResponseTime, dateLag = DATE_LAG_MS): number =>
  date + (date - began) + dateLag;

/**
 * The merge rule. Different content replaces the stored row only if its request certainly began after the stored response
 * was read, so neither a slow page nor a delayed worker restores old rows. A stored time ahead of the server's clock comes
 * from a clock that was wrong: without `overrule`, no response could replace such a row until the clock catches up.
 * @param serverNow the `Date` of a response requested after the stored row was read, ms; null if there was none
 * @returns `undefined` if MLflow no longer has the run and it is not stored
 */
export function decideMerge(
  stored: ObservedRun | undefined,
  incoming: ObservedRun,
  serverNow: number | null,
  dateLag = DATE_LAG_MS,
): MergeDecision | undefined {
  if (!stored) return incoming.content === null ? undefined : 'insert';
  if (stored.content === incoming.content) return 'unchanged';
  if (incoming.began > latestReadTime(stored, dateLag)) return 'replace';
  if (serverNow !== null && stored.date > serverNow + dateLag) return 'overrule';
  return 'supersede';
}
