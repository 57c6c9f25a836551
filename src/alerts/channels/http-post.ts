import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import axios, { isAxiosError } from 'axios';
import { errno, MonitorError } from '../../domain/errors.js';
import { parseRetryAfter } from '../../upstream/retry-after.js';
import type { AddressGuard } from './address-guard.js';

/** What is read of the body of an error, bytes. */
const MAX_BODY = 4 * 1024;

/** How requests are made. */
export interface Connection {
  readonly guard: AddressGuard;
  /** Time limit of an attempt, ms. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  /** The begin of the body of an error; of a success only what the request asks for. */
  readonly body: string;
  /** The wait that the server requests. */
  readonly retryAfterMs: number | undefined;
}

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without one, the request is a GET. */
  readonly body?: string;
  /** How much of the body of a success is read, bytes. Default: nothing. */
  readonly readBytes?: number;
}

/**
 * Sends one request to an address of the operator. It follows no redirects and uses no proxy, which would hide the address
 * from the guard.
 * @throws {MonitorError} `address_refused`; `no_answer`, retryable. Neither message contains the URL, which may be secret
 */
export async function sendRequest(
  { guard, timeoutMs }: Connection,
  request: HttpRequest,
): Promise<HttpAnswer> {
  const { url, headers, body, readBytes = 0 } = request;
  const agent = { lookup: guard.lookup, keepAlive: false };
  try {
    guard.check(new URL(url).hostname);
    const response = await axios.request<Readable>({
      url,
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'User-Agent': 'mlflow-monitor', ...headers },
      ...(body === undefined ? {} : { data: body }),
      responseType: 'stream',
      // Of the whole request: a server may send a byte per second.
      signal: AbortSignal.timeout(timeoutMs),
      maxRedirects: 0,
      decompress: false,
      validateStatus: () => true,
      proxy: false,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    });
    const { status, data, headers: answered } = response;
    const date = Date.parse(String(answered.date));
    const retryAfterMs = parseRetryAfter(answered['retry-after'], Number.isNaN(date) ? Date.now() : date);
    const answer = { status, body: await beginOf(data, status < 300 ? readBytes : MAX_BODY), retryAfterMs };
    data.destroy();
    return answer;
  } catch (error) {
    throw withoutAddress(error, timeoutMs);
  }
}

async function beginOf(stream: Readable, max: number): Promise<string> {
  if (max === 0) return '';
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= max) break;
    }
  } catch {
    // The status is known; a body that is cut adds nothing.
  }
  return Buffer.concat(chunks).subarray(0, max).toString('utf8');
}

/** An error of axios holds the whole request. */
function withoutAddress(error: unknown, timeoutMs: number): MonitorError {
  const cause = isAxiosError(error) ? error.cause : error;
  if (cause instanceof MonitorError) return cause;
  const code = errno(cause) ?? errno(error);
  const reason = axios.isCancel(error)
    ? `no answer within ${timeoutMs / 1000} s`
    : code === 'ENOTFOUND'
      ? 'the name of the host cannot be resolved'
      : `the connection failed${code ? ` (${code})` : ''}`;
  return new MonitorError('no_answer', reason, {}, true);
}
