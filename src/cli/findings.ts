import type { RejectedRow } from '../enrichment/parse-catalog.js';

/** One row of `validate`. `change`: something must change before it works, or before it works well. */
export interface Finding {
  readonly state: 'ok' | 'note' | 'change';
  readonly what: string;
  readonly found: string;
  /** What to do; always there with `change`. */
  readonly todo?: string;
}

const CLOCK_LIMIT_MS = 60_000;

/** Somebody waits for the table. */
export const IMPATIENT = { maxRetries: 0, timeoutMs: 10_000 } as const;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @param version as the server says it; undefined: it does not */
export function mlflowVersion(version: string | undefined): Finding {
  const what = 'MLflow version';
  const major = Number(/^(\d+)\./.exec(version ?? '')?.[1] ?? Number.NaN);
  if (version === undefined || Number.isNaN(major)) {
    return { state: 'note', what, found: 'the server does not tell it; it is tested with MLflow 3' };
  }
  if (major < 2) {
    return { state: 'change', what, found: version, todo: 'Update the tracking server to MLflow 2 or 3.' };
  }
  if (major !== 3) return { state: 'note', what, found: `${version}; it is tested with MLflow 3` };
  return { state: 'ok', what, found: version };
}

/**
 * @param date of an answer, in whole seconds of the server's clock, ms
 * @param asked when the question began, by our clock @param answered when the answer was there
 */
export function clockSkew(date: number, asked: number, answered: number): Finding {
  const what = 'Clocks';
  // An answer may have been on its way for long: the time between the two is no difference of clocks.
  const ahead = date > answered ? date - answered : Math.min(0, date + 1_000 - asked);
  const seconds = Math.round(Math.abs(ahead) / 1000);
  if (seconds === 0) return { state: 'ok', what, found: 'the same as that of the tracking server' };
  const found = `that of the tracking server is ${seconds} s ${ahead > 0 ? 'ahead' : 'behind'}`;
  if (Math.abs(ahead) <= CLOCK_LIMIT_MS) return { state: 'note', what, found };
  const todo = 'Set both by NTP: nothing is lost, but lights come late.';
  return { state: 'change', what, found, todo };
}

/** @param all experiments that are listed @param chosen those that the settings let through */
export function experimentsFound(all: number, chosen: number): Finding {
  const what = 'Experiments';
  if (all === 0) {
    const todo =
      'If there are some, give the user or token of MLFLOW_TRACKING_… the permission to read them.';
    return { state: 'change', what, found: 'none is listed', todo };
  }
  if (chosen === 0) {
    const todo = 'Correct EXPERIMENT_INCLUDE and EXPERIMENT_EXCLUDE.';
    return { state: 'change', what, found: `none of ${all} passes the settings`, todo };
  }
  return { state: 'ok', what, found: `${chosen} of ${all} are watched` };
}

/** @param problem what is wrong with its conditional writes; undefined: they hold */
export function storeFinding(description: string, problem: string | undefined): Finding {
  const what = 'Store';
  if (problem === undefined) {
    return { state: 'ok', what, found: `${description} can be written; of two writers one wins` };
  }
  return {
    state: 'note',
    what,
    found: `${description} can be written; its conditional writes do not hold: ${problem}`,
    todo: 'Let exactly one process use it, or take a store that knows If-Match and If-None-Match.',
  };
}

/** @param info the fields of Redis' INFO */
export function redisServer(info: ReadonlyMap<string, string>): Finding[] {
  const valkey = info.get('valkey_version');
  const version = info.get('redis_version') ?? '';
  const found = valkey ? `Valkey ${valkey}` : `Redis ${version}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const old = major < 6 || (major === 6 && minor < 2);
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  return [
    old
      ? { state: 'change', what: 'Queue', found, todo: 'Update it to Redis 6.2 or newer, or use Valkey.' }
      : { state: 'ok', what: 'Queue', found },
    policy === 'noeviction'
      ? { state: 'ok', what: 'Queue memory', found: 'maxmemory-policy noeviction' }
      : {
          state: 'change',
          what: 'Queue memory',
          found: `maxmemory-policy ${policy}: Redis may throw jobs away`,
          todo: 'Set maxmemory-policy noeviction in redis.conf, or: redis-cli CONFIG SET maxmemory-policy noeviction',
        },
  ];
}

export function parseInfo(text: string): Map<string, string> {
  const pairs = text.split(/\r?\n/).map((line) => /^([a-z_0-9]+):(.*)$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', pair[2] ?? ''] as const] : [])));
}

export interface CatalogFacts {
  /** null: an API has them. */
  readonly metrics: number | null;
  readonly thresholds: number | null;
  readonly refused: readonly RejectedRow[];
  /** Names that have limits, but no direction by which to judge. */
  readonly undirected: readonly string[];
}

const MOST_NAMED = 5;

export function refusedFindings(what: string, refused: readonly RejectedRow[]): Finding[] {
  const findings = refused.slice(0, MOST_NAMED).map(({ list, index, problem }): Finding => {
    const found = `${list}[${index}] is refused`;
    return { state: 'change', what, found, todo: `Correct ${problem}` };
  });
  if (refused.length > MOST_NAMED) {
    const found = `${refused.length - MOST_NAMED} more items are refused`;
    findings.push({ state: 'change', what, found, todo: 'Correct them as well.' });
  }
  return findings;
}

export function catalogFindings({ metrics, thresholds, refused, undirected }: CatalogFacts): Finding[] {
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
          found: `${holds}: every metric is unmonitored`,
          todo: 'When some runs are read, `mlflow-monitor suggest --out thresholds.yaml` writes thresholds to edit.',
        },
  );
  findings.push(...refusedFindings(what, refused));
  if (undirected.length > 0) {
    const names = undirected.slice(0, MOST_NAMED).join(', ') + (undirected.length > MOST_NAMED ? ', …' : '');
    findings.push({
      state: 'change',
      what,
      found: `limits without a direction, so nothing judges them: ${names}`,
      todo: 'Add higher_is_better to their metrics, or a second, different limit.',
    });
  }
  return findings;
}

/** @param file the state of `ADMIN_TOKEN_SHA256_FILE`: how many tokens, or what is wrong; undefined: not set */
export function accessFinding(host: string, loopback: boolean, file: number | string | undefined): Finding {
  const what = 'Access';
  if (typeof file === 'string') {
    const todo = 'Correct ADMIN_TOKEN_SHA256_FILE or the file (docs/access.md).';
    return { state: 'change', what, found: `admin is refused: ${file}`, todo };
  }
  if (file !== undefined) return { state: 'ok', what, found: `admin by ${file} token${file > 1 ? 's' : ''}` };
  if (loopback) return { state: 'ok', what, found: `open, to this machine only (HOST is ${host})` };
  return {
    state: 'note',
    what,
    found: `HOST is ${host}: everybody may look, admin is refused`,
    todo: 'Set ADMIN_TOKEN_SHA256_FILE to use admin (docs/access.md).',
  };
}

/** Rows in columns; what to do stands below what was found. */
export function findingsTable(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ state, what, found, todo }) => {
      const line = `${state.padEnd(6)}  ${what.padEnd(width)}  ${found}`;
      return todo ? `${line}\n${' '.repeat(width + 10)}→ ${todo}` : line;
    })
    .join('\n');
}

/** The last line. */
export function verdict(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ state }) => state === 'change').length;
  if (wrong === 0) return 'All is well.';
  return wrong === 1 ? '1 thing must change.' : `${wrong} things must change.`;
}
