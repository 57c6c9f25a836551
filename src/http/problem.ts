import { STATUS_CODES } from 'node:http';
import { BadRequestException, HttpException } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { errorMessage, MonitorError } from '../domain/errors.js';

/** Problem details (RFC 9457). There is no `type`, so the title is the reason phrase of the status. */
const problemSchema = z.object({
  status: z.int(),
  title: z.string(),
  detail: z.string(),
  /** The code of a `MonitorError`. */
  code: z.string().optional(),
  /** The invalid parts of the request, each with a JSON pointer into its body or its query parameters. */
  errors: z
    .array(z.object({ pointer: z.string(), detail: z.string() }))
    .readonly()
    .optional(),
});
export type Problem = Readonly<z.infer<typeof problemSchema>>;

/** Problem details as they are sent. */
export const sentProblemSchema = problemSchema.extend({
  /** The path of the request. */
  instance: z.string(),
  /** Identifies the request in the log of the service. */
  request_id: z.string(),
});

/** A request that does not match its schema. */
export class InvalidRequest extends BadRequestException {
  constructor(readonly issues: readonly StandardSchemaV1.Issue[]) {
    super('The request is not valid.');
  }
}

/** The codes of errors that the client can correct. All other errors are errors of the service. */
const CLIENT_ERROR_STATUS: Readonly<Record<string, number>> = {
  backfill_window: 400,
  rebuild_window: 400,
  unknown_backfill: 404,
  unknown_rebuild: 404,
  backfill_finished: 409,
  unknown_token: 401,
  unknown_run: 404,
  unknown_model: 404,
  no_rules: 409,
  mute_until: 400,
  unknown_mute: 404,
  unknown_incident: 404,
  too_many_streams: 429,
};

const titleOf = (status: number): string => STATUS_CODES[status] ?? 'Error';

/** The response to an error. An error of the service shows only its code: its message may name paths and hosts. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpException) {
    const status = error.getStatus();
    const problem = { status, title: titleOf(status), detail: error.message };
    return error instanceof InvalidRequest
      ? { ...problem, errors: error.issues.map(describeIssue) }
      : problem;
  }
  if (error instanceof MonitorError) {
    const { code } = error;
    const clientError = CLIENT_ERROR_STATUS[code];
    const status = clientError ?? (error.retryable ? 503 : 500);
    const detail = clientError
      ? error.message
      : 'The request failed. See the log of the service for the reason.';
    return { status, title: titleOf(status), detail, code };
  }
  const status = parserStatus(error) ?? 500;
  const detail =
    status === 500 ? 'Unexpected error. See the log of the service for the reason.' : errorMessage(error);
  return { status, title: titleOf(status), detail };
}

/** Express parsers of bodies and paths set a 4xx `status` on errors of the client. */
function parserStatus(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}

function describeIssue({ path = [], message }: StandardSchemaV1.Issue) {
  const parts = path.map((part) => String(typeof part === 'object' ? part.key : part));
  const pointer = parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return { pointer: `#${pointer}`, detail: message };
}
