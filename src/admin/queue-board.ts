import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Queue } from 'bullmq';
import type { Application, NextFunction, Request, RequestHandler, Response } from 'express';

/**
 * The segment `admin` protects the board: other paths can be read without a token (`src/http/access-rules.ts`). The page
 * links to it (`web/src/app.tsx`).
 */
export const BOARD_PATH = '/admin/queues';

/** Bull Board's page has inline styles. Its fonts of another site are blocked: viewing a queue must not be visible to others. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

function boardHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  next();
}

/**
 * The middleware of Bull Board for these queues, to be mounted at `BOARD_PATH`.
 * @param showWorkers whether the backend can list workers: in the embedded one, all of them share one session
 */
export function queueBoard(queues: readonly Queue[], showWorkers: boolean): RequestHandler[] {
  const serverAdapter = new ExpressAdapter().setBasePath(BOARD_PATH);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue)),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'mlflow-monitor', showWorkers } },
  });
  const board: Application = serverAdapter.getRouter();
  board.disable('x-powered-by');
  return [boardHeaders, board];
}
