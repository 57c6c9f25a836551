import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import {
  describeSettings,
  type Environment,
  loadSettings,
  mlflowOptions,
  queueBackendOf,
  type Settings,
  SettingsError,
  s3Options,
} from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { passes } from '../domain/pattern.js';
import { isLoopback, parseTokens } from '../http/access-rules.js';
import type { Experiment } from '../ingestion/mlflow-api.js';
import { HttpMlflowClient } from '../ingestion/mlflow-client.js';
import { openQueueConnection } from '../queue/open-queue.js';
import { readTrackingServer, trackingServerIdentity } from '../state/tracking-server.js';
import { lockFolder } from '../storage/folder-lock.js';
import { FolderStore } from '../storage/folder-store.js';
import type { ObjectStore } from '../storage/object-store.js';
import { openBucket } from '../storage/open-store.js';
import { probeConditionalWrites } from '../storage/probe.js';
import {
  accessFinding,
  clockSkew,
  experimentsFound,
  type Finding,
  findingsTable,
  IMPATIENT,
  messageOf,
  mlflowVersion,
  parseInfo,
  redisServer,
  storeFinding,
  verdict,
} from './findings.js';
import { findCatalog } from './validate-catalog.js';

/**
 * Looks at every setting and connection, and prints a table of what it found and what to change.
 * @returns whether nothing must change
 */
export async function validate(env: Environment): Promise<boolean> {
  const findings = await findAll(env);
  console.log(findingsTable(findings));
  console.log(`\n${verdict(findings)}`);
  return findings.every(({ state }) => state !== 'change');
}

async function findAll(env: Environment): Promise<Finding[]> {
  let settings: Settings;
  try {
    settings = loadSettings(env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const wrong = error.problems.map((problem): Finding => {
      const [, what = 'Settings', found = problem] = /^([A-Z0-9_]+) (.*)$/s.exec(problem) ?? [];
      const [before = found, after] = found.split(/; (?=it expects )/);
      return { state: 'change', what, found: before, todo: after ?? 'Set it.' };
    });
    return [...wrong, { state: 'note', what: 'Connections', found: 'not tried: the settings come first' }];
  }
  const set = describeSettings(env).map(
    ({ name, value }): Finding => ({ state: 'ok', what: name, found: value }),
  );
  const mlflow = await findMlflow(settings);
  return [
    ...set,
    { state: 'ok', what: 'Other settings', found: 'have their defaults' },
    ...mlflow.findings,
    ...(await findStore(settings, mlflow.experiments)),
    ...(await findQueue(settings)),
    ...(await findCatalog(settings, mlflow.experiments)),
    await findAccess(settings),
  ];
}

/** What a person should do about an error of the tracking server, by its code. */
const MLFLOW_TODO: Readonly<Record<string, string>> = {
  mlflow_unreachable: 'Start the tracking server, or correct MLFLOW_TRACKING_URI.',
  mlflow_unauthorized:
    'Correct MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.',
  mlflow_refused: 'Give its user the permission to read experiments and runs, or correct the address.',
  mlflow_not_json: 'Is MLFLOW_TRACKING_URI the address of an MLflow tracking server?',
};

const MAX_PAGE_BYTES = 2 ** 24;
const EXPERIMENTS_PER_QUESTION = 50;
async function findMlflow(settings: Settings): Promise<{ findings: Finding[]; experiments?: Experiment[] }> {
  const findings: Finding[] = [];
  const answer = join(tmpdir(), `mlflow-monitor-${randomUUID()}.json`);
  try {
    const options = mlflowOptions(settings);
    const client = new HttpMlflowClient(new HttpService(axios.create()), {
      ...options,
      maxRetries: IMPATIENT.maxRetries,
      timeoutSeconds: Math.min(options.timeoutSeconds, IMPATIENT.timeoutMs / 1000),
      maxPageBytes: MAX_PAGE_BYTES,
    });
    const asked = Date.now();
    const { experiments, date } = await client.listExperiments();
    const answered = Date.now();
    findings.push({ state: 'ok', what: 'MLflow', found: `${options.uri} answers` });
    findings.push(mlflowVersion(await client.serverVersion()));
    findings.push(clockSkew(date, asked, answered));
    const watched = experiments.filter(({ name }) =>
      passes(name, settings.EXPERIMENT_INCLUDE, settings.EXPERIMENT_EXCLUDE),
    );
    findings.push(experimentsFound(experiments.length, watched.length));
    const ids = watched.map(({ experiment_id }) => experiment_id);
    for (let at = 0; at < ids.length; at += EXPERIMENTS_PER_QUESTION) {
      const experiment_ids = ids.slice(at, at + EXPERIMENTS_PER_QUESTION);
      await client.searchRuns({ experiment_ids, filter: '', max_results: 1 }, answer);
    }
    findings.push({ state: 'ok', what: 'MLflow runs', found: 'can be read' });
    return { findings, experiments };
  } catch (error) {
    const todo = MLFLOW_TODO[error instanceof MonitorError ? error.code : ''];
    const change = todo ?? 'Correct the MLFLOW_… settings.';
    findings.push({ state: 'change', what: 'MLflow', found: messageOf(error), todo: change });
    return { findings };
  } finally {
    await rm(answer, { force: true });
  }
}

async function findStore(settings: Settings, experiments?: readonly Experiment[]): Promise<Finding[]> {
  const dir = resolve(settings.STORAGE_DIR);
  const bucket = s3Options(settings);
  const what = 'Store';
  try {
    const lock = await lockFolder(dir);
    let store: ObjectStore | undefined;
    try {
      store = bucket
        ? await openBucket({ ...bucket, ...IMPATIENT, dir })
        : await FolderStore.open({ dir, prefix: settings.S3_PREFIX });
      const findings: Finding[] = [storeFinding(store.description, await probeConditionalWrites(store))];
      const source = await readTrackingServer(store);
      const found = experiments && trackingServerIdentity(experiments, settings.MLFLOW_TRACKING_URI);
      if (source && found && source.identity !== found && !settings.ALLOW_SOURCE_CHANGE) {
        findings.push({
          state: 'change',
          what,
          found: `it belongs to the tracking server ${source.uri}, which is another one`,
          todo: 'Correct MLFLOW_TRACKING_URI, use another STORAGE_DIR, or set ALLOW_SOURCE_CHANGE=true for one start.',
        });
      }
      return findings;
    } finally {
      await store?.close();
      await lock.release();
    }
  } catch (error) {
    if (error instanceof MonitorError && error.code === 'store_owned') {
      const found = `${dir} belongs to process ${error.context.pid ?? '?'}, so it was not tried`;
      const todo = 'This is right while the service runs there.';
      return [{ state: 'note', what, found, todo }];
    }
    const todo = bucket
      ? 'Correct the S3_… settings, AWS_REGION and the credentials; STORAGE_DIR must be writable as well.'
      : 'Let STORAGE_DIR be a folder that this user may write.';
    return [{ state: 'change', what, found: messageOf(error), todo }];
  }
}

async function findQueue(settings: Settings): Promise<Finding[]> {
  if (queueBackendOf(settings) === 'embedded') {
    return [{ state: 'ok', what: 'Queue', found: 'inside the process: for one process only' }];
  }
  try {
    const queue = await openQueueConnection(settings.REDIS_URL);
    try {
      return redisServer(parseInfo((await queue.info()) ?? ''));
    } finally {
      await queue.close();
    }
  } catch (error) {
    const todo = 'Start Redis or Valkey, or correct REDIS_URL.';
    return [{ state: 'change', what: 'Queue', found: messageOf(error), todo }];
  }
}

async function findAccess({ HOST, ADMIN_TOKEN_SHA256_FILE: file }: Settings): Promise<Finding> {
  const state =
    file &&
    (await readFile(file, 'utf8')
      .then((text) => parseTokens(text).length)
      .catch(messageOf));
  return accessFinding(HOST, isLoopback(HOST), state || undefined);
}
