import { type DuckSession, sql } from './duck.js';

/** Makes the table macro `judged_runs`, for the statements that read which runs count. */
export const createRunsMacro = (session: DuckSession): Promise<void> =>
  session.define(sql(import.meta.url, './sql/judged_runs.sql'));
