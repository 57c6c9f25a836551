import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import sirv from 'sirv';
import { pathToRoot } from '../http/path-to-root.js';

/** The build output; the relative path is the same from `src` and from `dist`. */
const PAGE = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** The page may load its own files and call its own service only, and must not be framed. @param script its inline script */
const headersOf = (script: string) => ({
  'Content-Security-Policy': [
    "default-src 'none'",
    `script-src 'self' 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
});

const A_YEAR = 'public, max-age=31536000, immutable';

/** Addresses of the page's own router: a link to an application, a metric, an alert or the login may be opened directly. */
const isPage = (path: string): boolean =>
  ['/', '/login', '/alerts'].includes(path) || path.startsWith('/app/') || path.startsWith('/alerts/');

/** The beginning of the element `base`. Below names it is a guess, which a script of the page corrects. */
function baseOf(path: string): string {
  if (!path.startsWith('/app/')) return `<base href="${pathToRoot(path)}"`;
  return `<base href="${/^\/app\/.+\/metric\/./.test(path) ? '../../../' : '../'}" data-names`;
}

/** A browser loads the files of a page ahead, before the script of the page has corrected the element `base`. */
const GUESSED_ASSET = /^\/app(?:\/.*)?(\/assets\/[^/]+)$/;

const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

/**
 * Serves the page with the compressed files of the build. Asset names contain their digest, so they are cached forever. All
 * addresses in the page are relative to the element `base`, which leads up to the service: so it works below any path of a proxy.
 */
export function pageFiles(folder = PAGE): RequestHandler {
  if (!existsSync(folder)) {
    return (request: Request, response: Response, next: NextFunction) => {
      if (!isRead(request) || !isPage(request.path)) return next();
      response.status(503).type('text').send('The page is not built. Run `npm run build`.\n');
    };
  }
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  const headers = headersOf(/<script>(.*?)<\/script>/s.exec(html)?.[1] ?? '');
  const serveAsset = sirv(folder, {
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders(response) {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.setHeader('Cache-Control', A_YEAR);
    },
  });
  return (request: Request, response: Response, next: NextFunction) => {
    if (!isRead(request)) return next();
    const { path } = request;
    if (path.startsWith('/assets/')) return serveAsset(request, response, next);
    if (!isPage(path)) return next();
    // Whatever names the path has, valid or not: the page reads them.
    const servePage = () => {
      response
        .set({ ...headers, 'Cache-Control': 'no-cache' })
        .type('html')
        .send(html.replace('<base href="/"', baseOf(path)));
    };
    const asset = GUESSED_ASSET.exec(path)?.[1];
    if (!asset) return servePage();
    request.url = asset;
    serveAsset(request, response, servePage);
  };
}
