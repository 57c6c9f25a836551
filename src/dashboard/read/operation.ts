import { applyDecorators, Get } from '@nestjs/common';
import type * as Swagger from '@nestjs/swagger';
import { z } from 'zod';
import { documented } from '../../http/documentation.js';
import { sentProblemSchema } from '../../http/problem.js';
import { EXAMPLES } from '../contract/examples.js';
import { READ_API } from '../contract/read-api.js';

type SchemaObject = NonNullable<NonNullable<Swagger.OpenAPIObject['components']>['schemas']>[string];

const schemaOf = (schema: z.ZodType): SchemaObject => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'output' });
  return rest as SchemaObject;
};

const FILES = {
  'text/csv': { schema: { type: 'string' } },
  'application/vnd.apache.parquet': { schema: { type: 'string', format: 'binary' } },
} as const;

/** A GET request of the read API with its documentation. Its parameters are documented by `@Query({ schema })`. */
export const ReadOperation = (path: keyof typeof READ_API, summary: string): MethodDecorator =>
  applyDecorators(
    Get(path),
    documented((swagger) => describe(swagger, path, summary)),
  );

function describe(
  { ApiOperation, ApiResponse, ApiTags }: typeof Swagger,
  path: keyof typeof READ_API,
  summary: string,
): MethodDecorator {
  const { query, response } = READ_API[path];
  const problem = (status: number, description: string) =>
    ApiResponse({
      status,
      description,
      content: { 'application/problem+json': { schema: schemaOf(sentProblemSchema) } },
    });
  return applyDecorators(
    ApiTags('read'),
    ApiOperation({ summary }),
    ApiResponse({
      status: 200,
      description: 'With an `ETag`: a request with `If-None-Match` gets 304 while nothing has changed.',
      content: {
        'application/json': { schema: schemaOf(response), example: EXAMPLES[path] },
        ...('format' in query.shape ? FILES : {}),
      },
    }),
    problem(400, 'A parameter is invalid; `errors` names it.'),
    problem(404, 'There is no such application, metric or run.'),
    ...('format' in query.shape
      ? [problem(406, 'The header `Accept` allows no format of the response.')]
      : []),
  );
}
