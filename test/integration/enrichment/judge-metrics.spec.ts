import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOUBLE } from '@duckdb/node-api';
import fc from 'fast-check';
import { invalidKind, metricStatus } from '../../../src/domain/status.js';
import { Duck, sql } from '../../../src/storage/duck.js';
import { publishedValue, worstStatus } from '../../support/models/judging.js';

let folder: string;
let duck: Duck;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'judge-metrics-'));
  duck = await Duck.open(folder);
});
afterAll(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

const SQL = new URL('../../../src/enrichment/', import.meta.url).href;
const number = fc.oneof(
  fc.constantFrom(0, -0, 0.7, 0.8, 0.7999999999999999, 1e308, -1e308, 5e-324),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value = fc.oneof(
  { weight: 5, arbitrary: number },
  {
    weight: 1,
    arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, -Number.MAX_VALUE),
  },
);
const limit = fc.option(number, { nil: null });
const judged = fc.record({
  run: fc.nat(4),
  value,
  rule: fc.record({
    higher_is_better: fc.constantFrom(true, false, null),
    critical_threshold: limit,
    warning_threshold: limit,
  }),
});

/** Makes `active` with the columns that the statements read and the metrics of `given`. */
const ACTIVE = `CREATE OR REPLACE TEMP TABLE active AS
SELECT DATE '2026-03-10' AS date, TIMESTAMPTZ '2026-03-10 12:00:00Z' AS "timestamp", 'r' || run::INTEGER AS run_id,
  NULL::VARCHAR AS run_name, 'r' || run::INTEGER AS experiment_id, NULL::VARCHAR AS experiment_name, 'a' AS application,
  NULL::VARCHAR AS user_id, 'FINISHED' AS run_status, NULL::TIMESTAMPTZ AS start_time, NULL::TIMESTAMPTZ AS end_time,
  NULL::VARCHAR AS parent_run_id, true AS eligible, false AS ignored_child, 0 AS batch,
  list({"key": 'm' || metric::INTEGER, "timestamp": 0::BIGINT, step: 0::BIGINT, "value": "value",
    model_id: NULL::VARCHAR, dataset_name: NULL::VARCHAR} ORDER BY metric) AS metrics
FROM given GROUP BY run`;

/** Writes the columns of a base object that `active` does not have, of all possible runs. */
const BASE = `COPY (
  SELECT 'r' || i AS run_id, MAP {}::MAP(VARCHAR, VARCHAR) AS params, MAP {}::MAP(VARCHAR, VARCHAR) AS tags FROM range(5) t(i)
) TO $file (FORMAT parquet)`;

describe('judge_metrics.sql and copy_runs.sql', () => {
  it('judge metrics and runs as the model does', async () => {
    const base = join(folder, 'base.parquet');
    await duck.session((session) => session.run(BASE, { file: base }));
    await fc.assert(
      fc.asyncProperty(fc.array(judged, { minLength: 1, maxLength: 60 }), async (cases) => {
        const found = await duck.session(async (session) => {
          const column = (pick: (each: (typeof cases)[number], i: number) => number) => ({
            type: DOUBLE,
            values: Float64Array.from(cases, pick),
          });
          await session.createTable('given', {
            run: column(({ run }) => run),
            metric: column((_, i) => i),
            value: column((each) => each.value),
          });
          await session.run(ACTIVE);
          const rules = cases.map(({ run, rule }, i) => ({
            experiment_id: `r${run}`,
            metric_name: `m${i}`,
            ...rule,
          }));
          await session.run(sql(SQL, './sql/judge_metrics.sql'), { rules: JSON.stringify(rules) });
          const file = join(folder, 'runs.parquet');
          await session.run(sql(SQL, './sql/copy_runs.sql'), {
            bases: [base],
            batch: 0,
            file,
            inputs: '',
            schema: '1',
          });
          return {
            metrics: await session.rows(
              `SELECT status, invalid_kind, "value" FROM judged ORDER BY substr(metric_name, 2)::INTEGER`,
            ),
            runs: await session.rows(
              'SELECT run_id, status, evaluated_metrics FROM read_parquet($file) ORDER BY run_id',
              { file },
            ),
          };
        });
        const statuses = cases.map((each) => metricStatus(each.value, each.rule));
        expect(found.metrics).toEqual(
          cases.map((each, i) => ({
            status: statuses[i],
            invalid_kind: invalidKind(each.value),
            value: publishedValue(each.value),
          })),
        );
        const runs = [...new Set(cases.map(({ run }) => run))].sort();
        expect(found.runs).toEqual(
          runs.map((run) => {
            const own = statuses.filter((_, i) => cases[i]?.run === run);
            const evaluated_metrics = own.filter((status) => status !== 'unmonitored').length;
            return { run_id: `r${run}`, status: worstStatus(own), evaluated_metrics };
          }),
        );
      }),
      { numRuns: 300 },
    );
  });
});
