import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';

export interface RemoteService {
  /** For example `http://127.0.0.1:3000`. */
  readonly url: string;
  /** `undefined` to send none. */
  readonly token: string | undefined;
}

export interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object | undefined;
  /** What to do if the service requires a token. */
  readonly tokenHint: string;
}

/** Where a command gets the admin token if the service asks for one. */
export const ADMIN_TOKEN_HINT =
  'Set ADMIN_TOKEN or --token-file. For a service on this machine, set STORAGE_DIR to its folder.';

const problemSchema = z.object({
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

/** @throws {MonitorError} `service_unreachable`, `service_refused` */
export async function sendToService<T>(
  { url, token }: RemoteService,
  { method, path, body, tokenHint }: ServiceRequest,
  schema: z.ZodType<T>,
): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, url.replace(/\/*$/, '/')), {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MonitorError('service_unreachable', `${url} is unreachable: ${reason}`, {}, true);
  }
  const { status } = response;
  const json = parseJson(text);
  const parsed = schema.safeParse(json);
  if (response.ok && parsed.success) return parsed.data;
  const problem = problemSchema.safeParse(json).data;
  const details = problem
    ? [problem.detail, ...(problem.errors ?? []).map(({ detail }) => detail)].join(' ')
    : `not a response of mlflow-monitor: ${text.slice(0, 100)}`;
  const hint = status === 401 ? ` ${tokenHint}` : '';
  const message = `${url} returned ${status}: ${details}${hint}`;
  throw new MonitorError('service_refused', message, { status }, status >= 500);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
