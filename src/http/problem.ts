import { STATUS_CODES } from 'node:http';
import { BadRequestException, HttpException } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MonitorError } from '../domain/errors.js';

/** An error as RFC 9457 describes it; without a `type` its title is that of the status. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** For programs, where there is one. */
  readonly code?: string;
  /** What is wrong in the request, each with a JSON pointer. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** A part of a request that is not what its schema says. */
export class InvalidRequest extends BadRequestException {
  constructor(readonly issues: readonly StandardSchemaV1.Issue[]) {
    super('The request is not valid.');
  }
}

/** The codes of errors that the one who asks can mend; all others are ours. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  backfill_window: 400,
  unknown_backfill: 404,
  backfill_finished: 409,
};

const titleOf = (status: number): string => STATUS_CODES[status] ?? 'Error';

/** What the caller is told; of an error of our own no more than its code. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpException) {
    const status = error.getStatus();
    const problem = { status, title: titleOf(status), detail: error.message };
    return error instanceof InvalidRequest ? { ...problem, errors: error.issues.map(described) } : problem;
  }
  if (error instanceof MonitorError) {
    const { code } = error;
    const known = STATUS_OF_CODE[code];
    const status = known ?? (error.retryable ? 503 : 500);
    const detail = known ? error.message : 'The service cannot answer this; its log says why.';
    return { status, title: titleOf(status), detail, code };
  }
  const status = clientStatus(error) ?? 500;
  const detail = status === 500 ? 'Something unexpected happened; the log says what.' : messageOf(error);
  return { status, title: titleOf(status), detail };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Parsers of bodies and paths mark what the one who asks did wrong with its status. */
function clientStatus(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function described({ path = [], message }: StandardSchemaV1.Issue) {
  const parts = path.map((part) => String(typeof part === 'object' ? part.key : part));
  const pointer = parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { pointer: `#${pointer}`, detail: message };
}
