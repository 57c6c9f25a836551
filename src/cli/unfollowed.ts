import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@nestjs/common';
import { type UnfollowedVariable, unfollowedVariables } from '../config/client-variables.js';
import type { Environment, Settings } from '../config/settings.js';

/** What MLflow's own client would read from this environment, and this service does not. */
export function unfollowed(env: Environment, settings: Settings): UnfollowedVariable[] {
  const file = join(env.HOME || homedir(), '.mlflow/credentials');
  const { MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_TOKEN } = settings;
  const advice =
    'The file is not read. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD to what it contains';
  return [
    ...unfollowedVariables(env),
    ...(!MLFLOW_TRACKING_USERNAME && !MLFLOW_TRACKING_TOKEN && existsSync(file)
      ? [{ name: '~/.mlflow/credentials', advice }]
      : []),
  ];
}

/** For the start of a process. */
export function warnUnfollowed(variables: readonly UnfollowedVariable[], log: Pick<Logger, 'warn'>): void {
  for (const { name, advice } of variables) log.warn(`${name} is not followed. ${advice}.`);
}
