import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';

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

/** Serves the OpenAPI document at `/docs/openapi.json` and a page that shows it at `/docs`. */
export function serveOpenApi(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('mlflow-monitor')
    .setDescription('Errors are problem details (RFC 9457).')
    .setVersion('1')
    .addBearerAuth({
      type: 'http',
      description: 'An admin token (see docs/access.md).',
    })
    .build();
  app.use('/docs', (request: Request, response: Response, next: NextFunction) => {
    response.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    // One address of the page, so that the relative address of the service is right.
    if (/\/docs\/(index\.html)?(\?|$)/.test(request.originalUrl)) response.redirect(308, '../docs');
    else next();
  });
  const document = () => SwaggerModule.createDocument(app, config);
  SwaggerModule.setup('docs', app, document, {
    jsonDocumentUrl: 'docs/openapi.json',
    raw: ['json'],
    // Relative to the document, and on the page to its address.
    patchDocumentOnRequest: <Req, _, T>(request: Req, __: unknown, openApi: T): T => ({
      ...openApi,
      servers: [{ url: (request as Request).path.endsWith('.json') ? '../' : './' }],
    }),
  });
}
