import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareCells, json, parquet } from '../lib/compare.mjs';
import { settingsFor } from '../lib/inputs.mjs';
import { startSeededMlflow } from '../lib/mlflow.mjs';
import { measured, newFolder, ROOT, serviceCommand } from '../lib/processes.mjs';
import { startRecordingProxy } from '../lib/recording-proxy.mjs';
import { alternate, medians, number, ratio } from '../lib/statistics.mjs';

export const title = 'a historical run on a real MLflow, against a download of the same pages';
export const sizes = { runs: [[12_000, 50_000], [300]], metrics: [20, 5], days: [30, 3] };

/** `MLFLOW_CONCURRENCY`, the requests that both sides send at a time. */
const PARALLEL = 2;

export async function run({ sizes, rounds, print }) {
  const rows = [];
  const goals = [];
  const raw = {};
  let cells = 0;
  for (const runs of sizes.runs) {
    const { results, compared } = await measureSize(runs, sizes, rounds, print);
    cells += compared;
    raw[runs] = results;
    const { service, download } = results;
    for (const [side, name] of Object.entries({ service: 'pipeline run', download: 'download' })) {
      const { seconds, wall, cpu, memory } = medians(results[side]);
      rows.push([number(runs), name, seconds, wall, cpu, memory]);
    }
    const size = `${number(runs)} runs`;
    goals.push(
      { what: `time, ${size}`, unit: '×', measured: ratio(service, download, 'seconds'), atMost: 1.1 },
      {
        what: `CPU per 1,000 runs, ${size}`,
        unit: 's',
        measured: (medians(service).cpu / runs) * 1000,
        atMost: 0.9,
      },
      { what: `peak memory, ${size}`, unit: 'MB', measured: medians(service).memory, atMost: 600 },
    );
  }
  return {
    tables: [
      { columns: ['runs', 'side', 'time, s', 'time of the process, s', 'CPU, s', 'peak memory, MB'], rows },
    ],
    goals,
    notes: [
      `MLflow 3 with one worker on SQLite, ${sizes.days} days of runs with ${sizes.metrics} metrics. Each round reads into an empty store.`,
      `The download sends the requests that the service sent, ${PARALLEL} at a time over connections that are kept alive, and discards the responses.`,
      'Time: from the creation of the pipeline run to its end, and from the first request to the last byte. Time of the process: with start and exit. CPU: all threads of the process.',
      `Every metric of the downloaded pages was compared with \`enriched_metrics\`: ${number(cells)} cells are equal.`,
    ],
    raw,
  };
}

async function measureSize(runs, { metrics, days }, rounds, print) {
  const mlflow = await startSeededMlflow(runs, metrics, days, print);
  const folder = await newFolder();
  // A clock that stands behind makes the runs recent, however old the database is.
  const behind = `const now = Date.now; const behind = now() - ${mlflow.now}; Date.now = () => now() - behind;`;
  const node = ['--import', `data:text/javascript,${encodeURIComponent(behind)}`];
  const historical = async (uri, store) => {
    const env = {
      ...(await settingsFor(uri, metrics, folder)),
      STORAGE_DIR: store,
      MLFLOW_CONCURRENCY: String(PARALLEL),
      LOOKBACK_DAYS_HISTORICAL: String(days),
    };
    const usage = await serviceCommand(['run', 'historical'], env, { node });
    const record = JSON.parse(await readFile(join(store, '_state/runs/historical-1/record.json'), 'utf8'));
    return { seconds: (record.finished_at - record.created_at) / 1000, ...usage };
  };

  print(`${number(runs)} runs: recording the requests of the service`);
  const proxy = await startRecordingProxy(mlflow.uri, folder);
  const recorded = join(folder, 'recorded');
  await historical(proxy.uri, recorded);
  await proxy.stop();
  const requests = join(folder, 'requests.json');
  await writeFile(requests, JSON.stringify(proxy.requests));
  const compared = await comparePages(proxy.pages, recorded);
  print(`${number(runs)} runs: ${proxy.requests.length} requests, ${number(compared)} cells are equal`);

  const download = async () => {
    const script = join(ROOT, 'bench/programs/download.mjs');
    const usage = await measured(process.execPath, [script, mlflow.uri, requests, String(PARALLEL)]);
    return { ...JSON.parse(usage.output), ...usage };
  };
  const service = async (round) => {
    const store = join(folder, `store-${round}`);
    const result = await historical(mlflow.uri, store);
    await rm(store, { recursive: true });
    return result;
  };
  const results = await alternate({ download, service }, rounds, (text) =>
    print(`${number(runs)} runs: ${text}`),
  );
  await mlflow.stop();
  return { results, compared };
}

/** Compares the metrics in the pages of MLflow with those that are published. */
function comparePages(pages, store) {
  // Pages overlap by the runs with the last start time.
  const sent = `(
    SELECT DISTINCT run ->> '$.info.run_id' AS run_id, m ->> 'key' AS metric_name, (m ->> 'step')::BIGINT AS step,
      (m ->> 'timestamp')::BIGINT AS time, CASE WHEN m ->> 'value' <> 'NaN' THEN (m ->> 'value')::DOUBLE END AS "value"
    FROM (SELECT run, unnest((run -> '$.data.metrics')::JSON[]) AS m FROM (SELECT unnest(runs) AS run FROM ${json(pages)}))
  )`;
  const published = `(
    SELECT run_id, metric_name, step, epoch_ms(metric_timestamp) AS time, "value" FROM ${parquet(store, 'enriched_metrics')}
  )`;
  const columns = { step: 'exact', time: 'exact', value: 'exact' };
  return compareCells('historical', sent, published, ['run_id', 'metric_name'], columns);
}
