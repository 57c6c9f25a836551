import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finding, findingsTable, verdict } from '../../src/cli/findings.js';
import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import type { CurrentError } from '../../src/health/current-errors.js';
import { runInProcess } from './command.js';
import { openService, type ServiceOptions } from './open-service.js';

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

/** What a running service says about MLflow after a delta: its `/health`, `GET /api/v1/errors` and the data of the page. */
export async function saidWhileRunning(
  env: Env,
  options: Partial<ServiceOptions> = {},
): Promise<{ problems: readonly string[]; errors: readonly CurrentError[]; page: string | undefined }> {
  const service = await openService({
    trackingUri: env.MLFLOW_TRACKING_URI ?? '',
    catalog: null,
    http: true,
    env,
    ...options,
  });
  try {
    await service.run('delta');
    const json = async (path: string) => (await service.request('GET', path)).json;
    const { problems } = (await json('/health')) as { problems: string[] };
    const { errors } = (await json('/api/v1/errors')) as { errors: CurrentError[] };
    const { last_failure } = (await json('/api/v1/platform/current')) as PlatformCurrent;
    return { problems, errors, page: last_failure?.message };
  } finally {
    await service.close();
  }
}

const SAID_OF = {
  mlflow: {
    problem: 'The last request to MLflow failed',
    next: 'Reading continues by itself once MLflow responds.',
  },
  catalog: {
    problem: 'The catalog is unavailable',
    next: 'Until the catalog responds, the stored thresholds apply.',
  },
} as const;

/** Expects that a running service says the same as `validate` about what does not work. */
export async function expectSaidWhileRunning(
  { env, found, todo }: Situation,
  upstream: keyof typeof SAID_OF = 'mlflow',
): Promise<void> {
  const { problems, errors, page } = await saidWhileRunning(env());
  const { problem, next } = SAID_OF[upstream];
  expect(problems).toContain(`${problem}: ${found()} → ${todo()}.`);
  const said = errors.map((error) => [error.upstream, error.message, error.what_to_do]);
  expect(said).toEqual([[upstream, found(), `${todo()}. ${next}`]]);
  expect(page).toBe(`${found()} → ${todo()}`);
}
