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
import { adminLinkOf, type Service, startService } from './serve.js';

export interface DemoOptions {
  /** Each number generates a different company. */
  readonly seed: number;
  /** 0 picks a free port. */
  readonly port: number;
  /** Where the demo stores its data, in a folder per seed. */
  readonly folder: string;
}

/** The link is printed at the latest this long after the start of the process, even if nothing is published yet. */
const MAX_WAIT_MS = 9_000;
/** Needs what examples/streamlit/README.md installs. */
const STREAMLIT = 'The same data in Streamlit: streamlit run examples/streamlit/app.py';
/** Days that the first screen of the page needs: the last 24 hours, and earlier days in which a job may have stopped. */
const FIRST_SCREEN_DAYS = 3;

/** Runs a fictional company, its tracking server and a service that monitors it, until SIGTERM or SIGINT. */
export async function demo({ seed, port, folder }: DemoOptions, env: Environment): Promise<void> {
  const home = resolve(folder, `seed-${seed}`);
  await mkdir(home, { recursive: true });
  const company = foundCompany(seed, await foundedAt(home));
  const catalog = join(home, 'catalog.yaml');
  // Never overwritten: edits of the thresholds survive a restart.
  await writeNew(catalog, stringify(company.catalog));
  const trackingServer = await serveCompany(company);
  try {
    // The user's own settings do not apply: the demo monitors its own company.
    const settings = loadSettings({
      MLFLOW_TRACKING_URI: trackingServer.uri,
      METRICS_API_URL: `file:${catalog}`,
      THRESHOLDS_API_URL: `file:${catalog}`,
      CATALOG_CACHE_TTL_SECONDS: '30',
      STORAGE_DIR: join(home, 'store'),
      DELTA_SCHEDULE_MINUTES: '1',
      PORT: `${port}`,
      LOG_LEVEL: env.LOG_LEVEL ?? 'warn',
    });
    const runs = trackingServer.runs.size;
    console.log(`Generated a fictional company with ${runs} runs in MLflow (seed ${seed}). Data: ${home}`);
    const service = await startService(settings);
    if (!service) return;
    try {
      const { firstScreen, allDays } = watchBootstrap(service);
      const signal = await Promise.race([
        firstScreen,
        delay(MAX_WAIT_MS - process.uptime() * 1000, undefined, { ref: false }),
        service.stopped,
      ]);
      if (signal === undefined) {
        console.log(`\n  ${await service.app.getUrl()}/\n\n${introduction(company)}`);
        console.log(`${STREAMLIT} -- ${JSON.stringify(settings.STORAGE_DIR)}`);
        // Not into a file or a log, which others may read.
        if (process.stdout.isTTY) {
          console.log(
            `To sign in as admin, open this link; it works once, for 15 minutes:\n  ${await adminLinkOf(service)}`,
          );
        }
      }
      allDays.then(
        () => console.log(`All days are published, ${process.uptime().toFixed(1)} s after the start.`),
        // The service logs its errors itself.
        () => undefined,
      );
      await service.stopped;
    } finally {
      await service.close();
    }
  } finally {
    await trackingServer.close();
  }
}

const demoSchema = z.object({ version: z.literal(1), founded: z.int() });

/** When the company was founded, ms: at the first start with this folder. */
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

interface Bootstrap {
  /** Resolves when the days of the first screen are published. */
  readonly firstScreen: Promise<void>;
  /** Resolves when all days are published. */
  readonly allDays: Promise<void>;
}

function watchBootstrap({ app, resources }: Service): Bootstrap {
  const { events } = app.get<Engine>(ENGINE);
  const published = (from: number | null) =>
    new Promise<void>((resolve, reject) => {
      const check = async () => {
        if (!(await isPublished(resources.store, from))) return;
        events.off('progress', onEvent);
        events.off('finished', onEvent);
        resolve();
      };
      const onEvent = () => void check().catch(reject);
      events.on('progress', onEvent);
      events.on('finished', onEvent);
      onEvent();
    });
  const firstDay = resources.clock() - FIRST_SCREEN_DAYS * MS_PER_DAY;
  return { firstScreen: published(firstDay), allDays: published(null) };
}

/**
 * Whether the first pipeline run of a store has published its days.
 * @param from only days after this time, ms; `null` for all days
 */
async function isPublished(store: ObjectStore, from: number | null): Promise<boolean> {
  const { last_finished, active } = await readKindState(store, 'bootstrap');
  const [id] = active;
  if (id === undefined) return last_finished !== null;
  if (from === null) return false;
  const markers = new Markers(store, id);
  const [plan, stages] = [await markers.plan(), await markers.done()];
  const slices = plan?.slices.filter(({ to }) => to > from);
  return slices?.every((slice) => stages.has(`${slice.id}.aggregate`)) ?? false;
}

function introduction({ story }: Company): string {
  return [
    `${story.badDeploy.application} has a bad release, ${story.drift.application} is drifting, ${story.stopped.application} has stopped, and ${story.approaching.metric} of ${story.approaching.application} is likely to cross its limit soon.`,
    'New runs keep arriving and are read every minute. Press Ctrl+C to stop; the next start continues with the same company.',
  ].join('\n');
}
