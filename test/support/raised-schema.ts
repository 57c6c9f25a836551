import { jest } from '@jest/globals';
import { DuckSession } from '../../src/storage/duck.js';

/** The versions of a release that raises both. */
export const RAISED = { rules: 2, schema: 2 };

/**
 * Makes every process of this test write schema 2 with a column `region` in `runs`, as the statements of a release that
 * supports it would. Schema 1 stays as it is.
 */
export function writeSchema2(): { mockRestore(): void } {
  const run = DuckSession.prototype.run;
  return jest.spyOn(DuckSession.prototype, 'run').mockImplementation(function (
    this: DuckSession,
    statement,
    parameters = {},
  ) {
    const isRuns = parameters.schema === '2' && 'batch' in parameters;
    const text = isRuns ? statement.replace('active.date,', "active.date, 'eu' AS region,") : statement;
    return run.call(this, text, parameters);
  });
}
