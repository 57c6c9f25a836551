/** When the tracking server sent a response, in ms by its own clock. */
export interface ResponseTime {
  /** The `Date` header. */
  readonly date: number;
  /** `date` minus the duration of the request. */
  readonly began: number;
}

/**
 * The longest time by which the `Date` header is assumed to lag behind the server's clock, ms. The header has a resolution
 * of one second. Uvicorn, which runs MLflow 3, refreshes it every tenth iteration of a loop that sleeps 0.1 s, and sends
 * the value that was current when the request arrived: 1 to 2 s old on an idle server, 11 s under a load that delays the
 * loop (measured with uvicorn 0.54 and MLflow 3.17).
 */
export const DATE_LAG_MS = 15_000;

/**
 * What happens to the stored row of a run when a new observation arrives: `insert` a row, leave it `unchanged`, `replace`
 * it, keep it although the observation may be newer (`supersede`), or replace it although the order of the two is unknown
 * (`overrule`). After the last two the run is fetched again. `src/enrichment/sql/decide.sql` decides.
 */
export type MergeDecision = 'insert' | 'unchanged' | 'replace' | 'overrule' | 'supersede';
