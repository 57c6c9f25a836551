import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

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
  const document = () => SwaggerModule.createDocument(app, config);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'docs/openapi.json', raw: ['json'] });
}
