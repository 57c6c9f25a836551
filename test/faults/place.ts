import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadSettings, s3Options } from '../../src/config/settings.js';
import { PIPELINE_KINDS } from '../../src/domain/model.js';
import { readPipelineRun } from '../../src/pipeline/pipeline-run.js';
import { readKindState } from '../../src/state/kind-state.js';
import { readOpenMlflowRuns } from '../../src/state/open-mlflow-runs.js';
import { readWatermarks, type Watermarks } from '../../src/state/watermarks.js';
import { Duck } from '../../src/storage/duck.js';
import { FolderStore } from '../../src/storage/folder-store.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { S3Store } from '../../src/storage/s3-store.js';
import { digestsOf } from '../support/digests.js';
import { Program } from '../support/program.js';
import { LOCK_MS, type VictimOptions } from './boundaries.js';
import { DELTAS, type Mlflow, TIMES, type Time } from './facts.js';

const VICTIM = fileURLToPath(new URL('victim.mjs', import.meta.url));

/**
 * What is left in a store. The SHA-256 of a derived object is that of all its rows, so where the digests are equal no
 * row is lost and none is doubled.
 */
export interface Left {
  readonly digests: Readonly<Record<string, string>>;
  readonly quarantined: readonly string[];
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

/** Waits until all that is due at that time is done. */
export async function idle(program: Program, time: Time): Promise<void> {
  await program.line(new RegExp(`^idle .*"delta":${DELTAS[time]}\\D`));
}

/** A store, and the queues of the processes that work on it. */
export class Place {
  readonly processes: Program[] = [];
  private readonly begun = Date.now();

  constructor(
    private readonly home: string,
    private readonly mlflow: Mlflow,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  /** Lets that time come, and starts the service. */
  start(
    time: Time,
    options: Pick<VictimOptions, 'strike' | 'mutant'> = {},
    env: Readonly<Record<string, string>> = {},
  ): Program {
    this.mlflow.goOn(time);
    const program = Program.start(
      [
        JSON.stringify({
          now: TIMES[time] + Date.now() - this.begun,
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

  /** Opens the store; with a folder, no process may run then. */
  async withStore<T>(use: (store: ObjectStore, dir: string) => Promise<T>): Promise<T> {
    const dir = this.folder('looking');
    // Not by `openStore`: jest refuses its `import()` where tests run beside each other.
    const bucket = s3Options(loadSettings(this.settings));
    const store = bucket ? await S3Store.open({ ...bucket, dir }) : await FolderStore.open({ dir });
    try {
      return await use(store, dir);
    } finally {
      await store.close();
    }
  }

  look(): Promise<Left> {
    return this.withStore(async (store, dir) => {
      const duck = await Duck.open(dir, { memory: '500MB', threads: 1, maxTempSize: '1GB' });
      try {
        return await lookAt(store, duck);
      } finally {
        duck.close();
      }
    });
  }

  /** Ends what still runs. */
  async clear(): Promise<void> {
    await Promise.all(this.processes.map((program) => program.stop('SIGKILL')));
  }

  async close(): Promise<void> {
    await this.clear();
    await this.mlflow.close();
  }

  /** With a bucket, processes share no folder. */
  private folder(own: string): string {
    return join(this.home, this.settings.S3_BUCKET ? own : 'store');
  }
}

async function lookAt(store: ObjectStore, duck: Duck): Promise<Left> {
  const quarantined: string[] = [];
  for await (const { key } of store.list('quarantine/')) {
    const file = (await store.fetch(key))?.file ?? '';
    const rows = await duck.session((session) =>
      session.rows<{ run_id: string }>('SELECT run_id FROM read_parquet($file)', { file }),
    );
    quarantined.push(...rows.map(({ run_id }) => run_id));
  }
  const unfinished: string[] = [];
  for (const kind of PIPELINE_KINDS) unfinished.push(...(await readKindState(store, kind)).active);
  const deltas: Left['deltas'][number][] = [];
  const { sequence } = await readKindState(store, 'delta');
  for (let n = 1; n <= sequence; n++) {
    const record = await readPipelineRun(store, `delta-${n}`);
    const { runs, metrics, quarantined: refused } = record?.summary ?? {};
    deltas.push({ status: record?.status, runs, metrics, quarantined: refused });
  }
  return {
    digests: await digestsOf({ store, duck }),
    quarantined,
    watermarks: await readWatermarks(store),
    open: (await readOpenMlflowRuns(store)).map(({ run_id }) => run_id).sort(),
    unfinished,
    deltas,
  };
}
