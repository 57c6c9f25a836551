import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSettings, s3Options } from '../../src/config/settings.js';
import { PIPELINE_KINDS } from '../../src/domain/model.js';
import { readPipelineRun } from '../../src/pipeline/pipeline-run.js';
import { readKindState } from '../../src/state/kind-state.js';
import { readOpenMlflowRuns } from '../../src/state/open-mlflow-runs.js';
import { readQuality } from '../../src/state/quality.js';
import { readWatermarks, type Watermarks } from '../../src/state/watermarks.js';
import { Duck } from '../../src/storage/duck.js';
import { FolderStore } from '../../src/storage/folder-store.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { S3Store } from '../../src/storage/s3-store.js';
import { digestsOf } from '../support/digests.js';
import { Program } from '../support/program.js';
import { LOCK_MS, type VictimOptions } from './boundaries.js';
import { DELTAS, type MlflowHistory, TIMES, type Time } from './mlflow-history.js';

export const VICTIM = fileURLToPath(new URL('victim.mjs', import.meta.url));

/**
 * The final state of a store. A digest of a derived object covers all its rows: if digests are equal, no row is lost or
 * duplicated.
 */
export interface FinalState {
  readonly digests: Readonly<Record<string, string>>;
  readonly quarantined: readonly string[];
  /** The verdicts of the checks of data quality, and rows of `data_quality` that are missing or there twice. */
  readonly quality: readonly string[];
  readonly watermarks: Watermarks;
  readonly open: readonly string[];
  readonly unfinished: readonly string[];
  readonly deltas: readonly {
    readonly status: string | undefined;
    readonly runs: number | undefined;
    readonly metrics: number | undefined;
    readonly quarantined: number | undefined;
  }[];
}

/**
 * The state without what depends on when a process was suspended: which of two deltas reads a run, and so which one a check of
 * data quality names, and what the resumed process puts on the open list.
 */
export const comparable = (state: FinalState, time: Time) =>
  time === 'interrupted'
    ? state
    : { ...state, deltas: state.deltas.map(({ status }) => status), open: [], quality: [] };

/** Waits until all pipeline runs due at that time are finished. */
export async function untilIdle(program: Program, time: Time): Promise<void> {
  await program.line(new RegExp(`^idle .*"delta":${DELTAS[time]}\\D`));
}

/** A store, a queue, a tracking server and the processes of the service that use them. */
export class Deployment {
  readonly processes: Program[] = [];
  private readonly startedAt = Date.now();

  constructor(
    private readonly home: string,
    private readonly mlflow: MlflowHistory,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  /** Moves the tracking server to that time and starts a process of the service. */
  start(
    time: Time,
    options: Pick<VictimOptions, 'interruption' | 'mutant'> = {},
    env: Readonly<Record<string, string>> = {},
  ): Program {
    this.mlflow.moveTo(time);
    const program = Program.start(
      [
        JSON.stringify({
          now: TIMES[time] + Date.now() - this.startedAt,
          lockMs: LOCK_MS,
          ...options,
        } satisfies VictimOptions),
      ],
      { ...this.settings, STORAGE_DIR: this.folder(`process-${this.processes.length}`), ...env },
      VICTIM,
    );
    this.processes.push(program);
    return program;
  }

  /** Opens the store. If it is a folder, no process may be running. */
  async withStore<T>(use: (store: ObjectStore, dir: string) => Promise<T>): Promise<T> {
    const dir = this.folder('inspection');
    // Not with `openStore`: Jest does not allow its `import()` in concurrent tests.
    const bucket = s3Options(loadSettings(this.settings));
    const store = bucket ? await S3Store.open({ ...bucket, dir }) : await FolderStore.open({ dir });
    try {
      return await use(store, dir);
    } finally {
      await store.close();
    }
  }

  finalState(): Promise<FinalState> {
    return this.withStore(async (store, dir) => {
      const duck = await Duck.open(dir, { memory: '500MB', threads: 1, maxTempSize: '1GB' });
      try {
        return await readFinalState(store, duck);
      } finally {
        duck.close();
      }
    });
  }

  /** Kills the processes that are still running. */
  async kill(): Promise<void> {
    await Promise.all(this.processes.map((program) => program.stop('SIGKILL')));
  }

  async close(): Promise<void> {
    await this.kill();
    await this.mlflow.close();
  }

  /** With a bucket, each process has its own folder. */
  private folder(name: string): string {
    return join(this.home, this.settings.S3_BUCKET ? name : 'store');
  }
}

async function readFinalState(store: ObjectStore, duck: Duck): Promise<FinalState> {
  const rowsOf = async (dataset: string, row: string, rest = ''): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of store.list(`${dataset}/`)) {
      const file = (await store.fetch(key))?.file ?? '';
      const rows = await duck.session((session) =>
        session.rows<{ row: string }>(`SELECT ${row} AS row FROM read_parquet($file) ${rest} ORDER BY ALL`, {
          file,
        }),
      );
      found.push(...rows.map((each) => each.row));
    }
    return found;
  };
  const unfinished: string[] = [];
  for (const kind of PIPELINE_KINDS) unfinished.push(...(await readKindState(store, kind)).active);
  const deltas: FinalState['deltas'][number][] = [];
  const { sequence } = await readKindState(store, 'delta');
  for (let n = 1; n <= sequence; n++) {
    const record = await readPipelineRun(store, `delta-${n}`);
    const { runs, metrics, quarantined: unreadable } = record?.summary ?? {};
    deltas.push({ status: record?.status, runs, metrics, quarantined: unreadable });
  }
  return {
    digests: await digestsOf({ store, duck }),
    quarantined: await rowsOf('quarantine', 'run_id'),
    quality: [
      ...(await qualityVerdicts(store)),
      ...(await rowsOf(
        'data_quality',
        "concat_ws(' ', pipeline_run_id, check_name, application)",
        'GROUP BY ALL HAVING count(*) > 1',
      )),
    ],
    watermarks: await readWatermarks(store),
    open: (await readOpenMlflowRuns(store)).map(({ run_id }) => run_id).sort(),
    unfinished,
    deltas,
  };
}

/** Which checks pass and what they affect, and rows that are not published. */
async function qualityVerdicts(store: ObjectStore): Promise<string[]> {
  const { verdicts, pending } = await readQuality(store);
  const described = Object.entries(verdicts).flatMap(([check, { total, applications }]) =>
    Object.entries({ '': total, ...applications }).map(
      ([application, { passed, affected }]) => `${check} ${application} ${passed} ${affected}`,
    ),
  );
  return [...described, ...pending.map(({ check_name }) => `pending ${check_name}`)];
}
