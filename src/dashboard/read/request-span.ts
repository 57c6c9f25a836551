import type { Window } from '../../domain/model.js';
import { MS_PER_DAY } from '../../domain/time.js';
import { InvalidRequest } from '../../http/problem.js';
import { MAX_SPAN_DAYS } from '../contract/parameters.js';

/** The span if a request names none, days. */
export const DEFAULT_SPAN_DAYS = 30;

/**
 * The span of a request.
 * @param end where it ends by default: the end of the current hour, ms
 * @throws {InvalidRequest} it is empty or too long
 */
export function requestSpan(query: { readonly from?: string; readonly to?: string }, end: number): Window {
  const to = query.to === undefined ? end : Date.parse(query.to);
  const from =
    query.from === undefined ? Math.max(0, to - DEFAULT_SPAN_DAYS * MS_PER_DAY) : Date.parse(query.from);
  const invalid = (message: string) => new InvalidRequest([{ message, path: ['from'] }]);
  if (from >= to) throw invalid('an instant before `to`');
  if (to - from > MAX_SPAN_DAYS * MS_PER_DAY) throw invalid(`at most ${MAX_SPAN_DAYS} days before \`to\``);
  return { from, to };
}
