import type { RequestHandler } from 'express';

/** A middleware that its first request opens. If that fails, so does the request, and the next one opens it again. */
export function openOnRequest(open: () => Promise<RequestHandler>): RequestHandler {
  let opened: Promise<RequestHandler> | undefined;
  return async (request, response, next) => {
    opened ??= open();
    const attempt = opened;
    attempt.catch(() => {
      if (opened === attempt) opened = undefined;
    });
    const handle = await attempt;
    await handle(request, response, next);
  };
}
