import { tmpdir } from 'node:os';
import { readPolicyFiles } from '../alerts/alert-policies.js';
import { channelEnvironment } from '../alerts/channels/open-channels.js';
import { routeProblems } from '../alerts/channels/routes.js';
import {
  describeSettings,
  type Environment,
  loadSettings,
  mlflowOptions,
  queueBackendOf,
  type Settings,
  SettingsError,
} from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { isLoopback } from '../http/access-rules.js';
import { checkTokenFile, localTokenFile } from '../http/admin-tokens.js';
import type { Experiment } from '../ingestion/mlflow-api.js';
import { openQueueConnection } from '../queue/open-queue.js';
import { queuePrefixOf } from '../queue/queue-connection.js';
import { appliedFrom } from '../state/partition-files.js';
import { readRulebook } from '../state/rulebook.js';
import { readStoreIdentity } from '../state/store-identity.js';
import { readTrackingServer, trackingServerIdentity } from '../state/tracking-server.js';
import { OWN_VERSIONS, versionsInForce } from '../state/versions.js';
import { openStoreForProbe, openStoreForReading } from '../storage/inspect-store.js';
import { probeConditionalWrites } from '../storage/probe.js';
import {
  accessFinding,
  type Finding,
  failureFinding,
  findingsTable,
  installationsFound,
  messageOf,
  PROBE_LIMITS,
  partitionFilesFound,
  portFinding,
  redisServer,
  storeFinding,
  verdict,
  versionFindings,
} from './findings.js';
import { holdPort, releasePort } from './startup-server.js';
import { unfollowed } from './unfollowed.js';
import { checkCatalog } from './validate-catalog.js';
import { checkMlflow } from './validate-mlflow.js';
import { checkLimits } from './validate-quality.js';

/**
 * Checks all settings and connections, and prints a table of findings and what to change.
 * @returns whether nothing needs to change
 */
export async function validate(env: Environment): Promise<boolean> {
  const findings = await checkAll(env);
  console.log(findingsTable(findings));
  console.log(`\n${verdict(findings)}`);
  return findings.every(({ state }) => state !== 'change');
}

async function checkAll(env: Environment): Promise<Finding[]> {
  let settings: Settings;
  try {
    settings = loadSettings(env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const wrong = error.problems.map(({ name, problem, remedy }): Finding => {
      const todo = `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}.`;
      return { state: 'change', what: name, found: problem, todo };
    });
    return [
      ...wrong,
      { state: 'note', what: 'Connections', found: 'not tested: correct the settings first' },
    ];
  }
  const given = describeSettings(env).map(
    ({ name, value }): Finding => ({ state: 'ok', what: name, found: value }),
  );
  const mlflow = await checkMlflow(settings);
  const stored = await checkStore(settings, mlflow.experiments);
  return [
    ...given,
    { state: 'ok', what: 'Other settings', found: 'have their defaults' },
    ...unfollowed(env, settings).map(
      ({ name, advice }): Finding => ({
        state: 'note',
        what: name,
        found: 'is not followed',
        todo: `${advice}.`,
      }),
    ),
    ...mlflow.findings,
    ...stored.findings,
    ...(await checkQueue(settings, stored.identity)),
    ...(await checkCatalog(settings, mlflow.experiments)),
    ...(await checkLimits(settings.QUALITY_FILE)),
    await checkPort(settings),
    await checkAccess(settings),
    ...(await checkAlerts(settings, env)),
  ];
}

/** @returns also the identity of the store, if it has one that can be read */
export async function checkStore(
  settings: Settings,
  experiments?: readonly Experiment[],
): Promise<{ findings: Finding[]; identity?: string | undefined }> {
  const what = 'Store';
  try {
    const timeoutMs = Math.min(PROBE_LIMITS.timeoutMs, settings.TIMEOUT * 1000);
    const { store, close } = await openStoreForProbe(settings, { ...PROBE_LIMITS, timeoutMs });
    try {
      const findings: Finding[] = [storeFinding(store.description, await probeConditionalWrites(store))];
      const owner = await readTrackingServer(store);
      const identity = experiments && trackingServerIdentity(experiments, mlflowOptions(settings).source);
      if (owner && identity && owner.identity !== identity && !settings.ALLOW_SOURCE_CHANGE) {
        findings.push({
          state: 'change',
          what,
          found: `belongs to another tracking server: ${owner.uri}`,
          todo: 'Correct MLFLOW_TRACKING_URI, use another STORAGE_DIR, or set ALLOW_SOURCE_CHANGE=true for one start.',
        });
      }
      findings.push(...versionFindings(versionsInForce(await readRulebook(store)), OWN_VERSIONS));
      const files = settings.PARTITION_FILES;
      findings.push(...partitionFilesFound(await appliedFrom(store, files, Date.now()), files));
      return { findings, identity: await readStoreIdentity(store) };
    } finally {
      await close();
    }
  } catch (error) {
    const code = error instanceof MonitorError ? error.code : '';
    if (error instanceof MonitorError && code === 'store_owned') {
      const found = `not tested: ${error.context.dir} is in use by process ${error.context.pid ?? '?'}`;
      const findings: Finding[] = [
        { state: 'note', what, found, todo: 'This is fine while the service is running.' },
      ];
      return { findings, identity: await identityOfOwnedFolder(settings) };
    }
    const settled = settings.S3_BUCKET ? 'Correct the S3_… settings' : 'Correct STORAGE_DIR';
    return { findings: [failureFinding(what, error, settled)] };
  }
}

async function identityOfOwnedFolder(settings: Settings): Promise<string | undefined> {
  if (settings.S3_BUCKET) return undefined;
  const { store } = await openStoreForReading(settings, tmpdir());
  try {
    return await readStoreIdentity(store);
  } finally {
    await store.close();
  }
}

/** The queue of the settings. */
export async function checkQueue(settings: Settings, identity: string | undefined): Promise<Finding[]> {
  if (queueBackendOf(settings) === 'embedded') {
    return [{ state: 'ok', what: 'Queue', found: 'embedded, for a single process' }];
  }
  try {
    const prefix = queuePrefixOf(settings.QUEUE_PREFIX ?? identity ?? 'new-store');
    const queue = await openQueueConnection(settings.REDIS_URL, prefix);
    try {
      const found = (await queue.info()).slice(0, 1).flatMap(redisServer);
      return [...found, ...installationsFound(prefix, await queue.otherPrefixes())];
    } finally {
      await queue.close();
    }
  } catch (error) {
    return [failureFinding('Queue', error, 'Correct REDIS_URL')];
  }
}

/** Who may read, and the tokens of admins. */
export async function checkAccess({
  HOST,
  ADMIN_TOKEN_SHA256_FILE: file,
  STORAGE_DIR,
}: Settings): Promise<Finding> {
  try {
    return accessFinding(HOST, isLoopback(HOST), await checkTokenFile(file), localTokenFile(STORAGE_DIR));
  } catch (error) {
    return failureFinding('Access', error, 'Correct ADMIN_TOKEN_SHA256_FILE');
  }
}

/** Whether the service could listen. */
export async function checkPort({ HOST, PORT }: Settings): Promise<Finding> {
  try {
    await releasePort(await holdPort(PORT, HOST));
    return portFinding(`port ${PORT} of ${HOST}`, undefined);
  } catch (error) {
    if (error instanceof MonitorError && error.context.inUse === true) return portFinding('', error.message);
    return failureFinding('Port', error, 'Correct PORT and HOST');
  }
}

/** The files of alerts; nothing if none is set. */
async function checkAlerts(settings: Settings, env: Environment): Promise<Finding[]> {
  const { ALERTS_FILE, OWNERS_FILE } = settings;
  if (!ALERTS_FILE && !OWNERS_FILE) return [];
  const what = 'Alerts';
  try {
    const { alerts, owners } = await readPolicyFiles({ alertsFile: ALERTS_FILE, ownersFile: OWNERS_FILE });
    const changed = Object.keys(alerts.rules).length;
    return [
      {
        state: 'ok',
        what,
        found: `${changed} changed rules, ${alerts.routes.length} routes, ${owners.length} owners`,
      },
      ...routeProblems(alerts.routes, channelEnvironment(settings, env), settings).map(
        (found): Finding => ({
          state: 'change',
          what,
          found,
          todo: 'Set the variable, or change the route.',
        }),
      ),
    ];
  } catch (error) {
    return [
      {
        state: 'change',
        what,
        found: messageOf(error),
        todo: 'Correct the file: docs/alerts.md describes it.',
      },
    ];
  }
}
