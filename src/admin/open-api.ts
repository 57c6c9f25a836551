import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Serves the description of the REST API: a page at `/docs`, the document at `/docs/openapi.json`. */
export function serveOpenApi(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('mlflow-monitor')
    .setDescription('Errors are problem details (RFC 9457).')
    .setVersion('1')
    .addBearerAuth({ type: 'http', description: 'An admin token; on a laptop none is needed.' })
    .build();
  const document = () => SwaggerModule.createDocument(app, config);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'docs/openapi.json', raw: ['json'] });
}
