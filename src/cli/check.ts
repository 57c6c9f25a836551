import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as timer } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import type { z } from 'zod';
import { catalogOptions, type Settings, withoutSecrets } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import type { GateVerdict } from '../domain/gate.js';
import { type Verdict, type VerdictRequest, verdictRequestSchema, verdictSchema } from '../gate/contract.js';
import { createRules } from '../gate/gate-rules.js';
import { judgeNow } from '../gate/judge-now.js';
import { createMlflowClient } from '../ingestion/mlflow-client.js';
import { RULEBOOK_KEY, rulebookSchema } from '../state/rulebook.js';
import { readRunTimes } from '../state/run-times.js';
import { Duck } from '../storage/duck.js';
import { openStoreForReading } from '../storage/inspect-store.js';
import { readValue } from '../storage/json-document.js';
import { type CheckFormat, reportVerdict } from './check/report.js';
import { type RemoteService, sendToService } from './service-client.js';

export const CHECK_EXIT: Readonly<Record<GateVerdict | 'error', number>> = {
  pass: 0,
  fail: 1,
  not_enough_evidence: 2,
  error: 3,
};

export interface CheckOptions {
  readonly request: z.input<typeof verdictRequestSchema>;
  /** How long to wait for the end of the run, ms. */
  readonly waitMs: number;
  readonly format: CheckFormat;
}

/**
 * Prints the verdict on a run, a model version or an application.
 * @param source a running service, or the settings of a store or catalog
 * @returns the exit code
 * @throws {MonitorError} if there is no verdict
 */
export async function check(source: RemoteService | Settings, options: CheckOptions): Promise<number> {
  const parsed = verdictRequestSchema.safeParse(options.request);
  if (!parsed.success) {
    throw new MonitorError('check_options', parsed.error.issues.map(({ message }) => message).join(' '));
  }
  const judged = (judge: JudgeNow) => waitForVerdict(judge, options.waitMs);
  const verdict =
    'url' in source
      ? await judged(judgeRemotely(source, parsed.data))
      : await judgeHere(source, parsed.data, judged);
  console.log(reportVerdict(verdict, options.format));
  return CHECK_EXIT[verdict.verdict];
}

type JudgeNow = () => Promise<Verdict>;

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export interface WaitClock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Repeats a judgement, at growing intervals, while the run has not ended; meanwhile errors that may pass are ignored. */
export async function waitForVerdict(
  judge: JudgeNow,
  waitMs: number,
  { now, sleep }: WaitClock = { now: () => performance.now(), sleep: (ms) => timer(ms) },
): Promise<Verdict> {
  const until = now() + waitMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
    try {
      const verdict = await judge();
      if (!verdict.waiting || now() >= until) return verdict;
    } catch (error) {
      if (!(error instanceof MonitorError) || !error.retryable || now() >= until) throw error;
    }
    await sleep(Math.min(pause, until - now()));
  }
}

const VIEWER_TOKEN_HINT =
  'The service needs no token for this, so a proxy in front of it asks for a login. Set VIEWER_TOKEN or --token-file to a token of the proxy.';

const judgeRemotely =
  (service: RemoteService, body: VerdictRequest): JudgeNow =>
  () =>
    sendToService(
      service,
      { method: 'POST', path: 'api/v1/verdicts', body, tokenHint: VIEWER_TOKEN_HINT },
      verdictSchema,
    );

/** Judges in this process. It only reads, so a service may be running on the store. */
async function judgeHere(
  settings: Settings,
  request: VerdictRequest,
  judged: (judge: JudgeNow) => Promise<Verdict>,
): Promise<Verdict> {
  // Not `STORAGE_DIR`: a running service owns that.
  const temp = await mkdtemp(join(tmpdir(), 'mlflow-monitor-'));
  try {
    await mkdir(join(temp, '.tmp'), { recursive: true });
    const { store } = await openStoreForReading(settings, temp);
    const duck = await Duck.open(temp, {
      memory: settings.DUCKDB_MEMORY_LIMIT,
      threads: settings.DUCKDB_THREADS,
    });
    try {
      const http = new HttpService(axios.create());
      const stored = () => readValue(store, RULEBOOK_KEY, rulebookSchema);
      const source = {
        client: createMlflowClient(http, settings),
        duck,
        rulebook: createRules(http, settings, stored, Date.now),
        runTimes: () => readRunTimes(store),
      };
      const rules = (await stored()) ? `the rulebook in ${store.description}` : describeCatalog(settings);
      return await judged(() => judgeNow(source, request, rules));
    } finally {
      duck.close();
      await store.close();
    }
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

function describeCatalog(settings: Settings): string {
  const { metricsUrl, thresholdsUrl } = catalogOptions(settings);
  const urls = [metricsUrl, thresholdsUrl].filter((url) => url !== undefined).map(withoutSecrets);
  return `the catalog ${[...new Set(urls)].join(' and ')}`;
}
