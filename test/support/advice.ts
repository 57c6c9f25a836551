import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finding, findingsTable, verdict } from '../../src/cli/findings.js';
import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import type { CurrentError } from '../../src/health/current-errors.js';
import { subscribe } from '../../src/observability/diagnostics.js';
import { runInProcess } from './command.js';
import { type OpenService, openService } from './open-service.js';

export type Env = Readonly<Record<string, string>>;

/** One row of the tables of advice: what is wrong, what is said about it, and the settings that follow the advice. */
export interface Situation {
  readonly situation: string;
  /** Settings besides those of all rows. */
  readonly env: () => Env;
  readonly found: () => string;
  /** What to change, without a full stop. */
  readonly todo: () => string;
  /** Prepares what is wrong. */
  readonly before?: () => Promise<unknown> | unknown;
  /** Does what the advice says. @returns settings in place of `env` */
  readonly follow: () => Promise<Env> | Env;
}

/** Without the random name of the object that a probe writes. */
const withoutIds = (text: string): string => text.replaceAll(/_probe\/[0-9a-f-]{36}/g, '_probe/…');

/** The lines of `validate` that ask for a change, and the exit code they lead to. */
export function outcomeOf(findings: readonly Finding[]): { code: number; lines: string[] } {
  const changes = findings.filter(({ state }) => state === 'change');
  const lines =
    changes.length === 0
      ? []
      : findingsTable(changes)
          .split('\n')
          .map((line) => withoutIds(line.trim()));
  return { code: verdict(findings) === 'Nothing needs to change.' ? 0 : 1, lines };
}

/**
 * Checks one row: the exact lines and the exit code before, and that nothing is left to change after the advice was followed.
 * @param check a part of `validate`
 * @param what the first column
 * @param meanwhile other columns of the table: what else is said while the situation exists
 */
export async function expectAdvice(
  { env, found, todo, before, follow }: Situation,
  what: string,
  check: (env: Env) => Promise<readonly Finding[]>,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<void> {
  await before?.();
  const wrong = outcomeOf(await check(env()));
  expect(wrong).toEqual({ code: 1, lines: [`change  ${what}  ${found()}`, `→ ${todo()}.`] });
  await meanwhile();
  const followed = outcomeOf(await check(await follow()));
  expect(followed).toEqual({ code: 0, lines: [] });
}

/** Expects that the service does not start: its exit code, and its last line, which is the sentence of `validate` and what to change. */
export async function expectFailingStart({ env, found, todo }: Situation): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), 'start-'));
  const settings = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9', STORAGE_DIR: join(cwd, 'store'), PORT: '0' };
  try {
    const { code, err } = await runInProcess(['serve'], { env: { ...settings, ...env() }, cwd });
    expect({ code, said: withoutIds(err.trim().split('\n').at(-1) ?? '') }).toEqual({
      code: 1,
      said: `${found()} → ${todo()}`,
    });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

interface SaidWhileRunning {
  readonly problems: readonly string[];
  readonly errors: readonly CurrentError[];
  readonly current: PlatformCurrent;
}

/**
 * What a running service says: its `/health`, `GET /api/v1/errors` and the data of the page.
 * @param until resolves when the situation has been noticed; by default when a delta has ended
 */
async function saidWhileRunning(
  env: Env,
  until: (service: OpenService) => Promise<unknown> = (service) => service.run('delta'),
): Promise<SaidWhileRunning> {
  const trackingUri = env.MLFLOW_TRACKING_URI ?? '';
  const service = await openService({ trackingUri, catalog: null, http: true, env });
  try {
    await until(service);
    const json = async (path: string) => (await service.request('GET', path)).json;
    const { problems } = (await json('/health')) as { problems: string[] };
    const { errors } = (await json('/api/v1/errors')) as { errors: CurrentError[] };
    return { problems, errors, current: (await json('/api/v1/platform/current')) as PlatformCurrent };
  } finally {
    await service.close();
  }
}

const saidOf = (errors: readonly CurrentError[]) =>
  errors.map(({ upstream, message, what_to_do }) => ({ upstream, message, what_to_do }));

/** Expects that a running service says the same as `validate` about MLflow. */
export async function expectSaidWhileRunning({ env, found, todo }: Situation): Promise<void> {
  const { problems, errors, current } = await saidWhileRunning(env());
  expect(problems).toContain(`The last request to MLflow failed: ${found()} → ${todo()}.`);
  const what_to_do = `${todo()}. Reading continues by itself once MLflow responds.`;
  expect(saidOf(errors)).toEqual([{ upstream: 'mlflow', message: found(), what_to_do }]);
  expect(current.last_failure?.message).toBe(`${found()} → ${todo()}`);
}

/** Starts a delta, and resolves once an error of the catalog was reported: a stage waits for an API without an end. */
async function untilCatalogError({ engine }: OpenService): Promise<void> {
  const reported = new Promise<void>((resolve) => {
    const stop = subscribe((event) => {
      if (event.type !== 'error' || event.error.upstream !== 'catalog') return;
      stop();
      resolve();
    });
  });
  await engine.create('delta', { scheduledAt: null });
  await reported;
}

/**
 * Expects that a running service says the same as `validate` about the catalog.
 * @param reason what the page says
 * @param isFile without a rulebook, a delta fails if a file cannot be read
 */
export async function expectCatalogSaidWhileRunning(
  { env, found, todo }: Situation,
  reason: string,
  isFile = false,
): Promise<void> {
  const until = isFile ? undefined : untilCatalogError;
  const { problems, errors, current } = await saidWhileRunning(env(), until);
  expect(problems).toContain(`The catalog is unavailable: ${found()} → ${todo()}.`);
  const what_to_do = `${todo()}. Until the catalog responds, the stored thresholds apply.`;
  expect(saidOf(errors)).toContainEqual({ upstream: 'catalog', message: found(), what_to_do });
  expect(current.catalog_outage?.reason).toBe(reason);
}
