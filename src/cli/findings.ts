import { MonitorError } from '../domain/errors.js';
import { escapeLines } from '../domain/text.js';
import type { RejectedRow } from '../enrichment/parse-catalog.js';
import { describePrefix } from '../queue/queue-connection.js';
import { type AppliedFrom, describeApplied } from '../state/partition-files.js';
import { describeVersions, supports, type Versions } from '../state/versions.js';

/** One row of `validate`. `change`: something must change before the service works, or works well. */
export interface Finding {
  readonly state: 'ok' | 'note' | 'change';
  readonly what: string;
  readonly found: string;
  /** What to do; always set with `change`. */
  readonly todo?: string;
}

const CLOCK_LIMIT_MS = 60_000;

/** Short, because a person waits for the table. */
export const PROBE_LIMITS = { maxRetries: 0, timeoutMs: 10_000 } as const;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @param advice what to do if the error does not say so, without a full stop */
export const failureFinding = (what: string, error: unknown, advice: string): Finding => ({
  state: 'change',
  what,
  found: messageOf(error),
  todo: `${(error instanceof MonitorError && error.advice) || advice}.`,
});

/** @param workspace `MLFLOW_WORKSPACE` @param exist whether the server has workspaces */
export function workspaceFound(workspace: string | undefined, exist: boolean): Finding[] {
  const what = 'MLflow workspace';
  if (workspace) return [{ state: 'ok', what, found: workspace }];
  if (!exist) return [];
  const todo = 'Set MLFLOW_WORKSPACE to monitor another one. Each needs a store of its own.';
  return [{ state: 'note', what, found: 'only the default workspace of the server is monitored', todo }];
}

/** @param version as reported by the server; `undefined` if it reports none */
export function mlflowVersion(version: string | undefined): Finding {
  const what = 'MLflow version';
  const major = Number(/^(\d+)\./.exec(version ?? '')?.[1] ?? Number.NaN);
  if (version === undefined || Number.isNaN(major)) {
    return { state: 'note', what, found: 'not reported by the server; tested with MLflow 3' };
  }
  if (major < 2) {
    return { state: 'change', what, found: version, todo: 'Upgrade the tracking server to MLflow 2 or 3.' };
  }
  if (major !== 3) return { state: 'note', what, found: `${version}; tested with MLflow 3` };
  return { state: 'ok', what, found: version };
}

/**
 * All times in ms.
 * @param date the `Date` of the response: whole seconds of the server's clock
 * @param sent when the request was sent, by our clock
 * @param received when the response was complete, by our clock
 */
export function clockSkew(date: number, sent: number, received: number): Finding {
  const what = 'Clocks';
  // The server may have written the date at any time between the two: only what is outside is a difference of clocks.
  const ahead = date > received ? date - received : Math.min(0, date + 1_000 - sent);
  const seconds = Math.round(Math.abs(ahead) / 1000);
  if (seconds === 0) return { state: 'ok', what, found: 'in sync with the tracking server' };
  const found = `the tracking server is ${seconds} s ${ahead > 0 ? 'ahead' : 'behind'}`;
  if (Math.abs(ahead) <= CLOCK_LIMIT_MS) return { state: 'note', what, found };
  const todo = 'Synchronize both clocks with NTP. No data is lost, but lights are delayed.';
  return { state: 'change', what, found, todo };
}

/** @returns nothing if the setting applies to all days */
export function partitionFilesFound(applied: AppliedFrom, files: number): Finding[] {
  const found = describeApplied(applied, files);
  return found === undefined ? [] : [{ state: 'note', what: 'Files per day', found }];
}

/** @param all the number of experiments listed @param chosen how many of them match the settings */
export function experimentsFound(all: number, chosen: number): Finding {
  const what = 'Experiments';
  if (all === 0) {
    const todo = 'If there are any, allow the user or token of the MLFLOW_TRACKING_… settings to read them.';
    return { state: 'change', what, found: 'none are listed', todo };
  }
  if (chosen === 0) {
    const todo = 'Correct EXPERIMENT_INCLUDE and EXPERIMENT_EXCLUDE.';
    return { state: 'change', what, found: `none of ${all} match the settings`, todo };
  }
  return { state: 'ok', what, found: `${chosen} of ${all} are monitored` };
}

/** @param problem why conditional writes do not work; `undefined` if they do */
export function storeFinding(description: string, problem: string | undefined): Finding {
  const what = 'Store';
  if (problem === undefined) {
    return { state: 'ok', what, found: `${description} is writable; conditional writes work` };
  }
  return {
    state: 'note',
    what,
    found: `${description} is writable, but conditional writes do not work: ${problem}`,
    todo: 'Use it from exactly one process, or choose a store that supports If-Match and If-None-Match.',
  };
}

/** @param inForce the versions by which the store is written @param own those that this release supports */
export function versionFindings(inForce: Versions, own: Versions): Finding[] {
  if (supports(own, inForce)) return [];
  const found = `a newer release writes it by ${describeVersions(inForce)}; this one supports ${describeVersions(own)}`;
  const todo = 'Use the newer release: this one stores what MLflow has, but publishes nothing.';
  return [{ state: 'change', what: 'Store', found, todo }];
}

/** @param info the fields of the response to Redis's INFO */
export function redisServer(info: ReadonlyMap<string, string>): Finding[] {
  const valkey = info.get('valkey_version');
  const version = info.get('redis_version') ?? '';
  const found = valkey ? `Valkey ${valkey}` : `Redis ${version}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < 6 || (major === 6 && minor < 2);
  return [
    old
      ? { state: 'change', what: 'Queue', found, todo: 'Upgrade to Redis 6.2 or newer, or use Valkey.' }
      : { state: 'ok', what: 'Queue', found },
    {
      state: 'ok',
      what: 'Queue memory',
      found: `maxmemory-policy ${info.get('maxmemory_policy') ?? 'unknown'}`,
    },
  ];
}

/** @param own the prefix of this installation @param others those of the others on the same Redis */
export function installationsFound(own: string, others: readonly string[]): Finding[] {
  if (others.length === 0) return [];
  const found = `this installation: ${own}; others on this Redis: ${others.map(describePrefix).join(', ')}`;
  return [{ state: 'note', what: 'Queue keys', found, todo: 'This is fine: each has keys of its own.' }];
}

export interface CatalogFacts {
  /** Number of rows in files; `null` if an API has them. */
  readonly metrics: number | null;
  /** As `metrics`. */
  readonly thresholds: number | null;
  readonly rejectedRows: readonly RejectedRow[];
  /** Metrics with limits but without a direction: they cannot be judged. */
  readonly undirected: readonly string[];
}

const MAX_LISTED = 5;

export function rejectedRowFindings(what: string, rejectedRows: readonly RejectedRow[]): Finding[] {
  const findings = rejectedRows.slice(0, MAX_LISTED).map(({ list, index, problem }): Finding => {
    const found = `${list}[${index}] is rejected`;
    return { state: 'change', what, found, todo: `Correct ${problem}` };
  });
  if (rejectedRows.length > MAX_LISTED) {
    const found = `${rejectedRows.length - MAX_LISTED} more rows are rejected`;
    findings.push({ state: 'change', what, found, todo: 'Correct them too.' });
  }
  return findings;
}

export function catalogFindings({ metrics, thresholds, rejectedRows, undirected }: CatalogFacts): Finding[] {
  const what = 'Catalog';
  const findings: Finding[] = [];
  const counts = [
    metrics !== null && `${metrics} metrics`,
    thresholds !== null && `${thresholds} thresholds`,
  ];
  const holds = counts.filter(Boolean).join(', ');
  findings.push(
    thresholds !== 0
      ? { state: 'ok', what, found: holds }
      : {
          state: 'note',
          what,
          found: `${holds}; all metrics are unmonitored`,
          todo: 'Once runs have been read, `mlflow-monitor suggest --out thresholds.yaml` drafts thresholds.',
        },
  );
  findings.push(...rejectedRowFindings(what, rejectedRows));
  if (undirected.length > 0) {
    const names = undirected.slice(0, MAX_LISTED).join(', ') + (undirected.length > MAX_LISTED ? ', …' : '');
    findings.push({
      state: 'change',
      what,
      found: `limits without a direction, which cannot be applied: ${names}`,
      todo: 'Set higher_is_better for these metrics, or add a second, different limit.',
    });
  }
  return findings;
}

/**
 * @param loopback whether `host` is a loopback address
 * @param tokens the number of tokens of `ADMIN_TOKEN_SHA256_FILE`; `undefined` if it is not set
 * @param localFile where the token is if `ADMIN_TOKEN_SHA256_FILE` is not set
 */
export function accessFinding(
  host: string,
  loopback: boolean,
  tokens: number | undefined,
  localFile: string,
): Finding {
  const what = 'Access';
  if (tokens !== undefined)
    return { state: 'ok', what, found: `admin requests require a token; ${tokens} configured` };
  const admin = `admin requests require the token in ${localFile}`;
  if (loopback) return { state: 'ok', what, found: `this machine only can read (HOST is ${host}); ${admin}` };
  return {
    state: 'note',
    what,
    found: `HOST is ${host}: everyone who reaches the port can read; ${admin}`,
    todo: 'Give each admin a token: mlflow-monitor token <name> --file <file>, with ADMIN_TOKEN_SHA256_FILE=<file>.',
  };
}

/** @param inUse why the port cannot be used now */
export function portFinding(address: string, inUse: string | undefined): Finding {
  const what = 'Port';
  if (inUse === undefined) return { state: 'ok', what, found: `${address} is free` };
  return { state: 'note', what, found: inUse, todo: 'This is fine while the service is running.' };
}

/** Aligns the findings in columns, with what to do below what was found. */
export function findingsTable(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ state, what, found, todo }) => {
      const line = `${state.padEnd(6)}  ${what.padEnd(width)}  ${escapeLines(found)}`;
      return todo ? `${line}\n${' '.repeat(width + 10)}→ ${escapeLines(todo)}` : line;
    })
    .join('\n');
}

/** The last line of the output. */
export function verdict(findings: readonly Finding[]): string {
  const changes = findings.filter(({ state }) => state === 'change').length;
  if (changes === 0) return 'Nothing needs to change.';
  return changes === 1 ? '1 thing needs to change.' : `${changes} things need to change.`;
}
