import { type Finding, findingsTable, verdict } from '../../src/cli/findings.js';

export type Env = Readonly<Record<string, string>>;

/** One row of the tables of advice: what is wrong, the two lines of `validate`, and the settings that follow the advice. */
export interface Situation {
  readonly situation: string;
  /** Settings besides those of all rows. */
  readonly env: () => Env;
  readonly found: () => string;
  readonly todo: () => string;
  /** Prepares what is wrong. */
  readonly before?: () => Promise<unknown> | unknown;
  /** Does what the advice says. @returns settings in place of `env` */
  readonly follow: () => Promise<Env> | Env;
}

/** The lines of `validate` that ask for a change, and the exit code they lead to. */
export function outcomeOf(findings: readonly Finding[]): { code: number; lines: string[] } {
  const changes = findings.filter(({ state }) => state === 'change');
  const lines =
    changes.length === 0
      ? []
      : findingsTable(changes)
          .split('\n')
          .map((line) => line.trim());
  return { code: verdict(findings) === 'Nothing needs to change.' ? 0 : 1, lines };
}

/**
 * Checks one row: the exact lines and the exit code before, and that nothing is left to change after the advice was followed.
 * @param check a part of `validate`
 * @param what the first column
 */
export async function expectAdvice(
  { env, found, todo, before, follow }: Situation,
  what: string,
  check: (env: Env) => Promise<readonly Finding[]>,
): Promise<void> {
  await before?.();
  const wrong = outcomeOf(await check(env()));
  expect(wrong).toEqual({ code: 1, lines: [`change  ${what}  ${found()}`, `→ ${todo()}.`] });
  const followed = outcomeOf(await check(await follow()));
  expect(followed).toEqual({ code: 0, lines: [] });
}
