import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { loadSettings } from '../config/settings.js';
import { type Company, foundCompany } from '../demo/company.js';
import { serveCompany } from '../demo/company-server.js';
import { MS_PER_HOUR } from '../domain/time.js';
import type { Engine } from '../pipeline/engine.js';
import { Markers } from '../pipeline/markers.js';
import { readKind } from '../pipeline/run-record.js';
import { ENGINE } from '../pipeline/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type Service, startService, stopSignal } from './serve.js';

export interface DemoOptions {
  /** Another number is another company. */
  readonly seed: number;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where the demo keeps the data of its companies. */
  readonly folder: string;
}

/** The link is shown by then, published or not. */
const LONGEST_WAIT_MS = 9_000;
const SHOWN_HOURS = 24;

/** Runs a made-up company, its tracking server and the service that watches it, until SIGTERM or SIGINT. */
export async function demo({ seed, port, folder }: DemoOptions): Promise<void> {
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
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
    });
    console.log(`A company with ${tracking.runs.size} runs in MLflow (seed ${seed}); its data is in ${home}`);
    const service = await startService(settings);
    try {
      await shown(service);
      console.log(`\n  ${(await service.app.getUrl()).replace('[::1]', '127.0.0.1')}/\n`);
      console.log(describeStory(company));
      await stopSignal();
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
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Waits until the last 24 hours are published. */
async function shown({ app, resources }: Service): Promise<void> {
  const engine = app.get<Engine>(ENGINE);
  await new Promise<void>((done, fail) => {
    const late = setTimeout(done, LONGEST_WAIT_MS - process.uptime() * 1000);
    const look = () => {
      isPublished(resources.store, resources.clock() - SHOWN_HOURS * MS_PER_HOUR).then((is) => {
        if (!is) return;
        clearTimeout(late);
        engine.events.off('progress', look);
        done();
      }, fail);
    };
    engine.events.on('progress', look);
    look();
  });
}

/** Whether the first pipeline run of a store has published every day from a time on. */
async function isPublished(store: ObjectStore, from: number): Promise<boolean> {
  const { sequence, active } = await readKind(store, 'bootstrap');
  const [id] = active;
  if (id === undefined) return sequence > 0;
  const markers = new Markers(store, id);
  const [plan, stages] = [await markers.plan(), await markers.done()];
  const wanted = plan?.slices.filter(({ to }) => to > from);
  return wanted?.every((slice) => stages.has(`${slice.id}.aggregate`)) ?? false;
}

function describeStory({ story }: Company): string {
  return [
    `Its ${story.badDeploy.application} has a bad release, ${story.drift.application} drifts, ${story.stopped.application} has stopped.`,
    'New runs arrive all the time and are read every minute. Ctrl+C stops it; the next start goes on.',
  ].join('\n');
}
