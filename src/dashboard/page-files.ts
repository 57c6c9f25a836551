import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import sirv from 'sirv';

/** The build output; the relative path is the same from `src` and from `dist`. */
const PAGE = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** The page may load its own files and call its own service only, and must not be framed. */
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

/** Addresses of the page's own router: a link to an application, a metric, an alert or the login may be opened directly. */
const isPage = (path: string): boolean =>
  ['/', '/login', '/alerts'].includes(path) || path.startsWith('/app/') || path.startsWith('/alerts/');
const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

/** Serves the page with the compressed files of the build. Asset names contain their digest, so they are cached forever. */
export function pageFiles(folder = PAGE): RequestHandler {
  if (!existsSync(folder)) {
    return (request: Request, response: Response, next: NextFunction) => {
      if (!isRead(request) || !isPage(request.path)) return next();
      response.status(503).type('text').send('The page is not built. Run `npm run build`.\n');
    };
  }
  const serve = sirv(folder, {
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders(response, pathname) {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      response.setHeader('Cache-Control', pathname.startsWith('/assets/') ? A_YEAR : 'no-cache');
    },
  });
  return (request: Request, response: Response, next: NextFunction) => {
    if (!isRead(request)) return next();
    // Whatever names the path has, valid or not: the page reads them.
    if (isPage(request.path)) {
      request.url = '/';
      // `setHeaders` is not called for a 304, whose policy replaces that of the page in the browser's cache.
      response.set(HEADERS);
    }
    serve(request, response, next);
  };
}
