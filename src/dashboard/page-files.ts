import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import sirv from 'sirv';

/** Where the build leaves the page: the same place seen from the sources and from `dist`. */
const PAGE = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** The page runs its own files and talks to its own service; nothing else, and nobody may frame it. */
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

const A_YEAR = 'public, max-age=31536000, immutable';

/** Serves the built page, compressed as the build left it; the names of assets hold their digest. */
export function pageFiles(folder = PAGE): RequestHandler {
  if (!existsSync(folder)) {
    return (request: Request, response: Response, next: NextFunction) => {
      if (request.path !== '/') return next();
      response.status(503).type('text').send('The page is not built: `npm run build` makes it.\n');
    };
  }
  return sirv(folder, {
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders(response, pathname) {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      response.setHeader('Cache-Control', pathname.startsWith('/assets/') ? A_YEAR : 'no-cache');
    },
  });
}
