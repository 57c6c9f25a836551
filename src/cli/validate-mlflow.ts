import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { passes } from '../domain/pattern.js';
import type { Experiment } from '../ingestion/mlflow-api.js';
import { HttpMlflowClient } from '../ingestion/mlflow-client.js';
import { PageTooBigError } from '../ingestion/page-limit.js';
import {
  clockSkew,
  experimentsFound,
  type Finding,
  failureFinding,
  mlflowVersion,
  PROBE_LIMITS,
  workspaceFound,
} from './findings.js';

const EXPERIMENTS_PER_SEARCH = 50;

/** Reads what a delta reads. @returns also the experiments, if they can be listed */
export async function checkMlflow(
  settings: Settings,
): Promise<{ findings: Finding[]; experiments?: Experiment[] }> {
  const findings: Finding[] = [];
  const pageFile = join(tmpdir(), `mlflow-monitor-${randomUUID()}.json`);
  try {
    const options = mlflowOptions(settings);
    const client = new HttpMlflowClient(new HttpService(axios.create()), {
      ...options,
      maxRetries: PROBE_LIMITS.maxRetries,
      timeoutSeconds: Math.min(options.timeoutSeconds, PROBE_LIMITS.timeoutMs / 1000),
    });
    const sent = Date.now();
    const { experiments, date } = await client.listExperiments();
    const received = Date.now();
    const through = client.proxy ? ` through the proxy ${client.proxy}` : '';
    findings.push({ state: 'ok', what: 'MLflow', found: `${options.uri} responds${through}` });
    findings.push(mlflowVersion(await client.serverVersion()));
    findings.push(...workspaceFound(options.workspace, await client.hasWorkspaces()));
    findings.push(clockSkew(date, sent, received));
    const monitored = experiments.filter(({ name }) =>
      passes(name, settings.EXPERIMENT_INCLUDE, settings.EXPERIMENT_EXCLUDE),
    );
    findings.push(experimentsFound(experiments.length, monitored.length));
    const ids = monitored.map(({ experiment_id }) => experiment_id);
    for (let at = 0; at < ids.length; at += EXPERIMENTS_PER_SEARCH) {
      const experiment_ids = ids.slice(at, at + EXPERIMENTS_PER_SEARCH);
      await client.searchRuns({ experiment_ids, filter: '', max_results: 1 }, pageFile).catch((error) => {
        // A heavy run is readable enough here; it will be quarantined.
        if (!(error instanceof PageTooBigError)) throw error;
      });
    }
    findings.push({ state: 'ok', what: 'MLflow runs', found: 'readable' });
    return { findings, experiments };
  } catch (error) {
    findings.push(failureFinding('MLflow', error, 'Correct the MLFLOW_… settings'));
    return { findings };
  } finally {
    await rm(pageFile, { force: true });
  }
}
