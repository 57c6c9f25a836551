import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';

const RETRIED = new Set([408, 429, 500, 502, 503, 504]);

/** An answer that may be better the next time; `after`: the wait that the server asks for, ms. */
export class RetryableError extends Error {
  constructor(
    readonly error: MonitorError,
    readonly after?: number,
  ) {
    super(error.message);
  }
}

const experimentsSchema = z.object({
  experiments: z
    .array(
      z.object({
        experiment_id: z.string(),
        name: z.string(),
        lifecycle_stage: z.enum(['active', 'deleted']),
        creation_time: z.coerce.number().optional(),
        tags: z.array(z.object({ key: z.string(), value: z.string().optional() })).optional(),
      }),
    )
    .optional(),
  next_page_token: z.string().optional(),
});

const notJson = (path: string, problem: string): MonitorError =>
  new MonitorError(
    'mlflow_not_json',
    `MLflow's answer to ${path} cannot be read: ${problem}`,
    { path },
    true,
  );

/** The wait that a `Retry-After` asks for, ms: seconds, or a time by the clock of the server, which says it is `date` now. */
export function parseRetryAfter(retryAfter: unknown, date: number): number | undefined {
  if (typeof retryAfter !== 'string' || retryAfter.trim() === '') return undefined;
  const seconds = Number(retryAfter);
  const ms = Number.isNaN(seconds) ? Date.parse(retryAfter) - date : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

/** @throws {RetryableError} where the same request may be answered later; {MonitorError} `mlflow_unauthorized`, `mlflow_refused` */
export async function throwResponseError(
  body: Readable,
  path: string,
  status: number,
  after: number | undefined,
): Promise<never> {
  let text = '';
  for await (const chunk of body) if (text.length < 2_000) text += String(chunk);
  const message = `MLflow answers ${path} with ${status}: ${text.replaceAll(/\s+/g, ' ').slice(0, 300)}`;
  if (RETRIED.has(status)) {
    throw new RetryableError(new MonitorError('mlflow_busy', message, { path, status }, true), after);
  }
  const unauthorized = status === 401;
  throw new MonitorError(unauthorized ? 'mlflow_unauthorized' : 'mlflow_refused', message, { path, status });
}

/** @throws {MonitorError} `mlflow_not_json` */
export function parseExperiments(body: Buffer): z.infer<typeof experimentsSchema> {
  try {
    return experimentsSchema.parse(JSON.parse(body.toString('utf8')));
  } catch {
    throw notJson('experiments/search', 'it is not a list of experiments in JSON');
  }
}

/**
 * Bytes go from the socket to the file; only the two ends are looked at.
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
    const text = ends.toString('latin1').trim();
    if (!text.startsWith('{') || !text.endsWith('}'))
      throw notJson('runs', 'it is no JSON, or only a part of it');
    return size;
  } finally {
    await handle.close();
  }
}
