import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** `undefined` if the body is not JSON. */
  readonly json: unknown;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of a body. */
  readonly text?: string;
}

/** Sends a request to 127.0.0.1 with `node:http`: `fetch` does not allow a `Host` header. */
export async function httpRequest(
  port: number,
  method: string,
  path: string,
  { headers = {}, body, text: raw }: RequestOptions = {},
): Promise<HttpResponse> {
  const sent = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    agent: false,
  });
  sent.end(raw ?? (body === undefined ? undefined : JSON.stringify(body)));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, text, json: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
