import { Transform, type TransformCallback } from 'node:stream';
import { MonitorError } from '../domain/errors.js';
import { formatBytes } from '../domain/text.js';

/** What is safe between the quotes of a filter; runs with other ids are quarantined. */
export const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;

const PREFIX_BYTES = 64 * 1024;
/** In a page, no text contains it: quotes within texts are escaped. Each run has one `info`. */
const RUN_START = Buffer.from('"info"');

/** What is known about a response that was cut off at the limit. */
export interface CutResponse {
  /** bytes */
  readonly limit: number;
  /** The size of the whole response, bytes; `undefined` if the server did not announce it. */
  readonly total: number | undefined;
  /** The first 64 KiB. */
  readonly prefix: string;
  /** How many runs begin before the cut, at most. */
  readonly runs: number;
  /** Time of the response, ms. */
  readonly date: number;
}

/** A response is larger than `MAX_PAGE_MB`. The same request cannot succeed, one for fewer results can. */
export class PageTooBigError extends MonitorError {
  constructor(
    path: string,
    readonly cut: CutResponse,
  ) {
    super(
      'page_too_big',
      `A response to ${path} is larger than ${describeSize(cut.limit, cut.total)}: raise MAX_PAGE_MB to read it`,
      { path },
    );
  }
}

/** The limit that was exceeded and, if it is known, the size: `32 MiB (102 MiB)`. */
export const describeSize = (limit: number, total: number | null | undefined): string =>
  `${formatBytes(limit)}${total ? ` (${formatBytes(total)})` : ''}`;

/** Passes a response on, up to a size. @throws {PageTooBigError} beyond it */
export class PageLimit extends Transform {
  private bytes = 0;
  private runs = 0;
  private tail = Buffer.alloc(0);
  private readonly prefix: Buffer[] = [];

  /**
   * @param limit bytes
   * @param response time (ms) and `Content-Length` header of the response
   * @param received called for each part of the response
   */
  constructor(
    private readonly path: string,
    private readonly limit: number,
    private readonly response: { readonly date: number; readonly length: unknown },
    private readonly received: () => void,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.received();
    if (this.bytes < PREFIX_BYTES) this.prefix.push(chunk.subarray(0, PREFIX_BYTES - this.bytes));
    this.countRuns(chunk.subarray(0, this.limit - this.bytes));
    this.bytes += chunk.length;
    if (this.bytes <= this.limit) {
      done(null, chunk);
      return;
    }
    const total = Number(this.response.length);
    const prefix = Buffer.concat(this.prefix).toString('utf8');
    // The length of a compressed body may be below the limit: it is not the size.
    const size = total > this.limit ? total : undefined;
    const { path, limit, runs } = this;
    done(new PageTooBigError(path, { limit, total: size, prefix, runs, date: this.response.date }));
  }

  private countRuns(chunk: Buffer): void {
    const rest = RUN_START.length - 1;
    // A match may lie across the end of the previous chunk. No chunk is copied as a whole.
    const border = Buffer.concat([this.tail, chunk.subarray(0, rest)]);
    if (border.indexOf(RUN_START) >= 0) this.runs++;

    for (let at = chunk.indexOf(RUN_START); at >= 0; at = chunk.indexOf(RUN_START, at + 1)) this.runs++;
    this.tail = Buffer.concat([this.tail, chunk.subarray(-rest)]).subarray(-rest);
  }
}

/** `info` of the first run of a page, and its JSON text. */
export interface FirstRun {
  readonly run_id: string;
  /** null if it has none. */
  readonly experiment_id: string | null;
  /** ms; null if it has none. */
  readonly start_time: number | null;
  readonly record: string;
}

/**
 * Reads the first run from the beginning of a page. MLflow 3.17 writes `info`, with all its fields, before `data`; the
 * contract suite checks that.
 * @returns `undefined` if the beginning has no complete `info` with a run id
 */
export function firstRunOf(prefix: string): FirstRun | undefined {
  const head = /^\s*\{\s*"runs"\s*:\s*\[\s*\{\s*"info"\s*:\s*(?=\{)/.exec(prefix);
  if (!head) return undefined;
  const record = objectAt(prefix, head[0].length);
  if (record === undefined) return undefined;
  try {
    const info: Record<string, unknown> = JSON.parse(record);
    const { run_id, experiment_id } = info;
    if (typeof run_id !== 'string' || !RUN_ID.test(run_id)) return undefined;
    const start = Number(info.start_time);
    return {
      run_id,
      experiment_id: typeof experiment_id === 'string' ? experiment_id : null,
      start_time: Number.isSafeInteger(start) && start > 0 ? start : null,
      record: `{"info":${JSON.stringify(info)}}`,
    };
  } catch {
    return undefined;
  }
}

/** The text of the JSON object that begins at an index; `undefined` if it has no end. */
function objectAt(text: string, begin: number): string | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.slice(begin).matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') depth++;
    if (token === '}') depth--;
    if (depth === 0) return text.slice(begin, begin + index + 1);
  }
  return undefined;
}
