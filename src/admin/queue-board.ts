import { createHash } from 'node:crypto';
import type { Queue } from 'bullmq';
import type { Application, NextFunction, Request, RequestHandler, Response } from 'express';
import { openOnRequest } from '../http/open-on-request.js';
import { pathToRoot } from '../http/path-to-root.js';

/**
 * The segment `admin` protects the board: other paths can be read without a token (`src/http/access-rules.ts`). The page
 * links to it (`web/src/app.tsx`).
 */
export const BOARD_PATH = '/admin/queues';

/**
 * Bull Board takes the attribute `href` of its element `base` for an absolute path. The service does not know the path that a
 * proxy may have put before its own, so this script sets the attribute before those of the board run.
 */
const SET_BASE = `document.querySelector('base').setAttribute('href', location.pathname.replace(/(.*${BOARD_PATH.replaceAll('/', '\\/')}).*/, '$1/'))`;

/** Bull Board's page has inline styles. Its fonts of another site are left out: viewing a queue must not be visible to others. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  `script-src 'self' 'sha256-${createHash('sha256').update(SET_BASE).digest('base64')}'`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

function boardHeaders(request: Request, response: Response, next: NextFunction): void {
  response.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  const render = response.render.bind(response);
  response.render = (view: string, values?: object) =>
    render(view, values, (error, html) => {
      if (error) next(error);
      else {
        // Browsers load files ahead of the script, by the attribute as it is sent.
        const base = `<base href="${pathToRoot(request.originalUrl)}${BOARD_PATH.slice(1)}/"/>`;
        response.send(
          html
            .replace(/<base [^>]*>/, () => `${base}<script>${SET_BASE}</script>`)
            .replace(/<link href="https:[^>]*>/, ''),
        );
      }
    });
  next();
}

/**
 * The middleware of Bull Board for these queues, to be mounted at `BOARD_PATH`. The first request opens the board.
 * @param showWorkers whether the backend can list workers: in the embedded one, all of them share one session
 */
export function queueBoard(queues: readonly Queue[], showWorkers: boolean): RequestHandler[] {
  return [boardHeaders, openOnRequest(() => openBoard(queues, showWorkers))];
}

async function openBoard(queues: readonly Queue[], showWorkers: boolean): Promise<RequestHandler> {
  const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/express'),
  ]);
  const serverAdapter = new ExpressAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue)),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'mlflow-monitor', showWorkers } },
  });
  const board: Application = serverAdapter.getRouter();
  board.disable('x-powered-by');
  return board;
}
