import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from '../../support/program.js';

const POLL = fileURLToPath(new URL('./poll.mjs', import.meta.url));
/** MiB; `1GB`, the default of DUCKDB_MEMORY_LIMIT without a container. */
const DUCKDB_LIMIT = 954;
/** MiB; documented in docs/storage.md, "Memory". */
const OVERHEAD = 600;
export const MEMORY_LIMIT = DUCKDB_LIMIT + OVERHEAD;

export interface Outcome {
  /** The last line about the first pipeline run. */
  readonly line: string;
  /** The published applications, sorted. */
  readonly applications: readonly string[];
  /** Peak memory of the process, MiB; 0 where /proc does not exist. */
  readonly peak: number;
  /** All log lines. */
  readonly log: string;
}

/**
 * Runs the built service until its first pipeline run has finished, polls its liveness meanwhile, and adds its figures to the
 * report (`test/support/figures-report.cjs`).
 * @param name of the case in the report
 */
export async function firstRun(
  name: string,
  trackingUri: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'abuse-'));
  const begin = performance.now();
  const program = Program.start(['serve'], {
    MLFLOW_TRACKING_URI: trackingUri,
    STORAGE_DIR: join(folder, 'store'),
    LOOKBACK_DAYS_HISTORICAL: '1',
    MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
    STAGE_TRIES: '1',
    DUCKDB_MEMORY_LIMIT: '1GB',
    PORT: '0',
    ...env,
  });
  try {
    const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
    const poll = spawn(process.execPath, [POLL, `${url}/health/live`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const polled = once(poll, 'close');
    let output = '';
    poll.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const [line] = await program.line(/bootstrap-1 (done|failed).*/);
    const response = await fetch(`${url}/api/v1/platform/current`);
    const { applications = [] } = (await response.json()) as { applications?: { application: string }[] };
    poll.stdin.end();
    await polled;
    const status = await readFile(`/proc/${program.pid}/status`, 'utf8').catch(() => '');
    const peak = Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    const { longest, requests } = JSON.parse(output) as { longest: number; requests: number };
    const seconds = Math.round((performance.now() - begin) / 1000);
    const { FIGURES_FILE } = process.env;
    if (FIGURES_FILE) {
      await appendFile(FIGURES_FILE, `${JSON.stringify({ name, peak, longest, requests, seconds })}\n`);
    }
    return {
      line,
      applications: applications.map(({ application }) => application).sort(),
      peak,
      log: program.lines.join('\n'),
    };
  } finally {
    await program.stop('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}
