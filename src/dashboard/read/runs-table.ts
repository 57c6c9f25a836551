import { BIGINT, BOOLEAN, DOUBLE, VARCHAR } from '@duckdb/node-api';
import type { Column, DuckSession } from '../../storage/duck.js';
import { sql } from '../../storage/duck.js';
import type { ListedRun } from '../contract/runs.js';

/** Creates `exported`: runs as a table, in their order, with the worst metric of each and the number of its children. */
export async function createRunsTable(session: DuckSession, runs: readonly ListedRun[]): Promise<void> {
  const text = (of: (run: ListedRun) => string | null): Column => ({ type: VARCHAR, values: runs.map(of) });
  await session.createTable('listed', {
    n: { type: BIGINT, values: runs.map((_, i) => BigInt(i)) },
    at: text(({ at }) => at),
    run_id: text(({ run_id }) => run_id),
    run_name: text(({ run_name }) => run_name),
    application: text(({ application }) => application),
    experiment_id: text(({ experiment_id }) => experiment_id),
    experiment_name: text(({ experiment_name }) => experiment_name),
    user_id: text(({ user_id }) => user_id),
    run_status: text(({ run_status }) => run_status),
    started_at: text(({ started_at }) => started_at),
    ended_at: text(({ ended_at }) => ended_at),
    parent_run_id: text(({ parent_run_id }) => parent_run_id),
    eligible: { type: BOOLEAN, values: runs.map(({ eligible }) => eligible) },
    status: text(({ status }) => status),
    evaluated_metrics: { type: BIGINT, values: runs.map((run) => BigInt(run.evaluated_metrics)) },
    total_metrics: { type: BIGINT, values: runs.map((run) => BigInt(run.total_metrics)) },
    worst_metric: text(({ worst_metric }) => worst_metric?.name ?? null),
    worst_value: { type: DOUBLE, values: runs.map(({ worst_metric }) => worst_metric?.value ?? null) },
    worst_status: text(({ worst_metric }) => worst_metric?.status ?? null),
    children: { type: BIGINT, values: runs.map(({ children }) => BigInt(children?.total ?? 0)) },
  });
  await session.run(sql(import.meta.url, './sql/export_runs.sql'));
}
