import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { type Problem, problemOf } from './problem.js';

/** The response header that identifies a request, also in the log. */
export const REQUEST_ID = 'X-Request-Id';

/** Sends problem details (RFC 9457) with the path of the request as `instance` and its id. */
export function sendProblem(request: Request, response: Response, problem: Problem): void {
  const instance = request.originalUrl.split('?', 1)[0];
  response
    .status(problem.status)
    .type('application/problem+json')
    .set('Cache-Control', 'no-store')
    .send(JSON.stringify({ ...problem, instance, request_id: response.get(REQUEST_ID) }));
}

/** Turns every error into problem details (RFC 9457). */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly log = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const problem = problemOf(error);
    // Not the HTTP exceptions: health checks throw 503 on purpose, every few seconds, and their response states the reason.
    if (problem.status >= 500 && !(error instanceof HttpException)) {
      const id = response.get(REQUEST_ID);
      this.log.error(`${request.method} ${request.originalUrl} (request ${id}): ${error}`, stackOf(error));
    }
    if (response.headersSent) response.destroy();
    else sendProblem(request, response, problem);
  }
}

const stackOf = (error: unknown): string | undefined => (error instanceof Error ? error.stack : undefined);
