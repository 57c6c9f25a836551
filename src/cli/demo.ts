import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type Environment, loadSettings } from '../config/settings.js';
import { type Company, foundCompany } from '../demo/company.js';
import { serveCompany } from '../demo/company-server.js';
import { errno } from '../domain/errors.js';
import { MS_PER_DAY } from '../domain/time.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { Markers } from '../pipeline/markers.js';
import { readKindState } from '../state/kind-state.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type Service, startService } from './serve.js';

export interface DemoOptions {
  /** Another number is another company. */
  readonly seed: number;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where the demo keeps the data of its companies. */
  readonly folder: string;
}

/** The link is shown that long after the start of the process, published or not. */
const LONGEST_WAIT_MS = 9_000;
/** What the page shows at first: the last 24 hours, and the days before in which a job may have stopped. */
const SHOWN_DAYS = 3;

/** Runs a made-up company, its tracking server and the service that watches it, until SIGTERM or SIGINT. */
export async function demo({ seed, port, folder }: DemoOptions, env: Environment): Promise<void> {
  const home = resolve(folder, `seed-${seed}`);
  await mkdir(home, { recursive: true });
  const company = foundCompany(seed, await foundedAt(home));
  const catalog = join(home, 'catalog.yaml');
  // Whoever edits the thresholds finds the edit again after a restart.
  await writeNew(catalog, stringify(company.catalog));
  const tracking = await serveCompany(company);
  try {
    // Nothing of the user's own settings: the demo watches its own company.
    const settings = loadSettings({
      MLFLOW_TRACKING_URI: tracking.uri,
      METRICS_API_URL: `file:${catalog}`,
      THRESHOLDS_API_URL: `file:${catalog}`,
      CATALOG_CACHE_TTL_SECONDS: '30',
      STORAGE_DIR: join(home, 'store'),
      DELTA_SCHEDULE_MINUTES: '1',
      PORT: `${port}`,
      LOG_LEVEL: env.LOG_LEVEL ?? 'warn',
    });
    console.log(`A company with ${tracking.runs.size} runs in MLflow (seed ${seed}); its data is in ${home}`);
    const service = await startService(settings);
    try {
      const [shown, all] = watchBootstrap(service);
      const first = await Promise.race([
        shown,
        delay(LONGEST_WAIT_MS - process.uptime() * 1000, undefined, { ref: false }),
        service.stopped,
      ]);
      if (first === undefined) console.log(`\n  ${await service.app.getUrl()}/\n\n${tell(company)}`);
      all.then(
        () => console.log(`All of its days are published, ${process.uptime().toFixed(1)} s after the start.`),
        // The service says itself what goes wrong.
        () => undefined,
      );
      await service.stopped;
    } finally {
      await service.close();
    }
  } finally {
    await tracking.close();
  }
}

const demoSchema = z.object({ version: z.literal(1), founded: z.int() });

/** A company is founded at its first start; later starts find it where it was. */
async function foundedAt(home: string): Promise<number> {
  const file = join(home, 'demo.json');
  await writeNew(
    file,
    JSON.stringify({ version: 1, founded: Date.now() } satisfies z.infer<typeof demoSchema>),
  );
  return demoSchema.parse(JSON.parse(await readFile(file, 'utf8'))).founded;
}

async function writeNew(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: unknown) => {
    if (errno(error) !== 'EEXIST') throw error;
  });
}

/** @returns what settles when the days that the page shows at first are published, and when all are */
function watchBootstrap({ app, resources }: Service): [shown: Promise<void>, all: Promise<void>] {
  const { events } = app.get<Engine>(ENGINE);
  const from = resources.clock() - SHOWN_DAYS * MS_PER_DAY;
  const until = (is: (store: ObjectStore) => Promise<boolean>) =>
    new Promise<void>((resolve, reject) => {
      const look = async () => {
        if (!(await is(resources.store))) return;
        events.off('progress', looked);
        events.off('finished', looked);
        resolve();
      };
      const looked = () => void look().catch(reject);
      events.on('progress', looked);
      events.on('finished', looked);
      looked();
    });
  return [until((store) => isPublished(store, from)), until((store) => isPublished(store, null))];
}

/** Whether the first pipeline run of a store has published every day from a time on; null: all that it was to do. */
async function isPublished(store: ObjectStore, from: number | null): Promise<boolean> {
  const { last_finished, active } = await readKindState(store, 'bootstrap');
  const [id] = active;
  if (id === undefined) return last_finished !== null;
  if (from === null) return false;
  const markers = new Markers(store, id);
  const [plan, stages] = [await markers.plan(), await markers.done()];
  const wanted = plan?.slices.filter(({ to }) => to > from);
  return wanted?.every((slice) => stages.has(`${slice.id}.aggregate`)) ?? false;
}

function tell({ story }: Company): string {
  return [
    `Its ${story.badDeploy.application} has a bad release, ${story.drift.application} drifts, ${story.stopped.application} has stopped.`,
    'New runs arrive all the time and are read every minute. Ctrl+C stops it; the next start goes on.',
  ].join('\n');
}
