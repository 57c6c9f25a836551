import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { inSlices } from '../config/event-loop.js';
import { concatSteps } from '../domain/bytes.js';
import { MonitorError } from '../domain/errors.js';
import { parseJsonSteps } from '../domain/json-steps.js';
import type { Steps } from '../domain/steps.js';
import { hideSecrets } from '../domain/text.js';
import { RetryableError } from '../upstream/retry-policy.js';
import { isRetryableStatus } from '../upstream/retryable-status.js';
import { adviseResponse, type MlflowAccess, NOT_MLFLOW, withoutQuery } from './mlflow-advice.js';
import { repairJson } from './repair-page.js';

/** MLflow omits what is empty; a proxy may send null, or numbers for ids. */
const experimentSchema = z.object({
  experiment_id: z.union([z.string(), z.int().transform(String)]),
  name: z.string(),
  lifecycle_stage: z.enum(['active', 'deleted']),
  creation_time: z.coerce.number().nullish(),
  tags: z.array(z.object({ key: z.string(), value: z.string().nullish() })).nullish(),
});
const experimentsSchema = z.object({
  experiments: z.array(z.unknown()).nullish(),
  next_page_token: z.string().nullish(),
});

/** A page of experiments. */
export interface ExperimentsPage {
  readonly experiments: z.infer<typeof experimentSchema>[];
  readonly next_page_token?: string | null | undefined;
}

/** U+FEFF in UTF-8, read as Latin-1. */
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

const notJsonError = (path: string, problem: string): MonitorError =>
  new MonitorError('mlflow_not_json', `MLflow's response to ${path} is invalid: ${problem}`, { path }, true, {
    advice: NOT_MLFLOW,
  });

/** A response without success, as the HTTP client returns it. */
interface ErrorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly data: Readable;
}

/**
 * @param secrets what the request was authorized with
 * @throws {RetryableError} `mlflow_busy`
 * @throws {MonitorError} `mlflow_unauthorized`, `mlflow_refused`
 */
export async function throwResponseError(
  { status, headers, data }: ErrorResponse,
  path: string,
  retryAfterMs: number | undefined,
  secrets: readonly (string | undefined)[],
  access: MlflowAccess,
): Promise<never> {
  let body = '';
  // More than is shown: a secret that is cut off would not be found.
  for await (const chunk of data) if (body.length < 64 * 1024) body += String(chunk);
  const header = (name: string) => (headers[name] ? hideSecrets(String(headers[name]), secrets) : undefined);
  const location = status < 400 ? header('location') : undefined;
  const text = hideSecrets(body, secrets).replaceAll(/\s+/g, ' ').trim().slice(0, 300);
  const where = location ? ` to ${withoutQuery(location)}` : '';
  const message = `MLflow responded to ${path} with ${status}${where}${text ? `: ${text}` : ''}`;
  const answer = { path, status, text, location, authenticate: header('www-authenticate') };
  const options = { advice: adviseResponse(answer, access) };
  const context = { path, status };
  if (isRetryableStatus(status)) {
    throw new RetryableError(new MonitorError('mlflow_busy', message, context, true, options), retryAfterMs);
  }
  const code = status === 401 ? 'mlflow_unauthorized' : 'mlflow_refused';
  throw new MonitorError(code, message, context, false, options);
}

/** Whether a request received nothing in time, or a proxy gave up waiting for the server. */
export const isTimeout = (error: unknown): error is MonitorError =>
  error instanceof MonitorError && (error.context.timed_out === true || error.context.status === 504);

/** @throws {MonitorError} `mlflow_not_json` */
export async function parseExperiments(body: Buffer): Promise<ExperimentsPage> {
  try {
    return await inSlices(experimentsSteps(body));
  } catch {
    throw notJsonError('experiments/search', 'not a list of experiments in JSON');
  }
}

/** @throws {MonitorError} `mlflow_not_json` if the body is not JSON of this shape */
export async function parseResponse<T>(path: string, body: Buffer, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(await inSlices(jsonSteps(body)));
  } catch {
    throw notJsonError(path, 'not what MLflow returns');
  }
}

/** As pages are read: names must be the same there. `JSON.parse` keeps halves of surrogate pairs, which are escapes. */
function* jsonSteps(body: Buffer): Steps<unknown> {
  try {
    if (!body.includes('\\ud') && !body.includes('\\uD')) return yield* parseJsonSteps(body);
  } catch {
    // It may be valid once it is repaired.
  }
  return yield* parseJsonSteps(Buffer.from(yield* repairJson(body.toString())));
}

/** A page may have MAX_PAGE_MB: it is parsed a few experiments at a time. */
function* experimentsSteps(body: Buffer): Steps<ExperimentsPage> {
  const value = yield* jsonSteps(body);
  const { experiments, next_page_token } = experimentsSchema.parse(value);
  const parsed: ExperimentsPage['experiments'] = [];
  for (const experiment of experiments ?? []) {
    yield;
    parsed.push(experimentSchema.parse(experiment));
  }
  return { experiments: parsed, next_page_token };
}

/** The whole body. */
export async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return inSlices(concatSteps(chunks));
}

/**
 * Streams a page into the file and checks only its first and last bytes: a page may be larger than memory.
 * @returns the size, bytes
 * @throws {MonitorError} `mlflow_not_json`
 */
export async function saveBody(body: Readable, file: string): Promise<number> {
  await pipeline(body, createWriteStream(file));
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 64);
    const ends = Buffer.alloc(length * 2);
    await handle.read(ends, 0, length, 0);
    await handle.read(ends, length, length, size - length);
    // A byte order mark is removed with other defects (`repairPage`).
    const text = ends.toString('latin1').replace(BYTE_ORDER_MARK, '').trim();
    if (!text.startsWith('{') || !text.endsWith('}'))
      throw notJsonError('runs/search', 'not JSON, or truncated');
    return size;
  } finally {
    await handle.close();
  }
}
