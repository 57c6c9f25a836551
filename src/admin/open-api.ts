import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Application, NextFunction, Request, RequestHandler, Response } from 'express';
import { loadSwagger } from '../http/documentation.js';
import { openOnRequest } from '../http/open-on-request.js';

/** Swagger UI has inline styles and pictures. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the OpenAPI document at `/docs/openapi.json` and a page that shows it at `/docs`. The first request builds both. */
export function serveOpenApi(app: INestApplication): void {
  const pages = openOnRequest(() => openPages(app));
  app.use('/docs', (request: Request, response: Response, next: NextFunction) => {
    response.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    // One address of the page, so that the relative address of the service is right.
    if (/\/docs\/(index\.html)?(\?|$)/.test(request.originalUrl)) response.redirect(308, '../docs');
    else next();
  });
  app.use((request: Request, response: Response, next: NextFunction) =>
    /^\/docs(\/|$)/i.test(request.path) ? pages(request, response, next) : next(),
  );
}

async function openPages(app: INestApplication): Promise<RequestHandler> {
  const { DocumentBuilder, SwaggerModule } = await loadSwagger();
  const config = new DocumentBuilder()
    .setTitle('mlflow-monitor')
    .setDescription('Errors are problem details (RFC 9457).')
    .setVersion('1')
    .addBearerAuth({
      type: 'http',
      description: 'An admin token (see docs/access.md).',
    })
    .build();
  // The service no longer takes routes: these are of an application of their own.
  const adapter = new ExpressAdapter();
  const pages: Application = adapter.getInstance();
  pages.disable('x-powered-by');
  const target = {
    getHttpAdapter: () => adapter,
    useStaticAssets: adapter.useStaticAssets.bind(adapter),
  } as unknown as INestApplication;
  SwaggerModule.setup('docs', target, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'docs/openapi.json',
    raw: ['json'],
    // Relative to the document, and on the page to its address.
    patchDocumentOnRequest: <Req, _, T>(request: Req, __: unknown, openApi: T): T => ({
      ...openApi,
      servers: [{ url: (request as Request).path.endsWith('.json') ? '../' : './' }],
    }),
  });
  return pages;
}
