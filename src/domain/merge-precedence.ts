/** When an answer of the tracking server was made, ms by the server's clock. */
export interface ResponseTime {
  /** Its `Date` header. */
  readonly date: number;
  /** `date` less the duration of the request. */
  readonly began: number;
}

/**
 * The most by which the `Date` of an answer is taken to lag behind the server's clock, ms. The header has whole seconds.
 * uvicorn, which MLflow runs on, makes it anew every tenth turn of a loop that sleeps 0.1 s, and gives an answer the
 * header that was there when the request came: 1 to 2 s old on an idle server, 11 s under a load that starves the loop
 * (seen with uvicorn 0.54 and MLflow 3.17).
 */
export const DATE_LAG_MS = 15_000;

/**
 * The last moment at which the server may have read what an answer says. Its `Date` may be that of the request's
 * arrival (uvicorn) or of the answer (gunicorn), so the database was read between `began` and the request's whole
 * duration after `date`.
 */
export const latestReadTime = ({ date, began }: ResponseTime, dateLag = DATE_LAG_MS): number =>
  date + (date - began) + dateLag;

/** A run as one answer has it. */
export interface ObservedRun extends ResponseTime {
  /** Digest of its content; null: MLflow has the run no more. */
  readonly content: string | null;
}

/**
 * What the base does with an observed run: `insert` it, leave it `unchanged`, `replace` the stored row, let the stored row
 * stand (`supersede`), or replace it although nothing tells which is newer (`overrule`). After the last two the run is to
 * be asked for again.
 */
export type MergeDecision = 'insert' | 'unchanged' | 'replace' | 'overrule' | 'supersede';

/**
 * The base rule. Other content replaces the stored row only if its request surely began after the stored answer was read,
 * so neither a slow page nor a worker that was held up brings old rows back. A stored time ahead of the server's clock
 * comes from a clock that was wrong: no answer could replace such a row for as long as it is ahead.
 * @param serverNow the `Date` of an answer that was asked for after the stored row was read, ms; null: none was
 * @returns undefined: a run that MLflow no longer has is not stored either
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
