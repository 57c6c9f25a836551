import type * as Swagger from '@nestjs/swagger';

type AnyDecorator = ClassDecorator & MethodDecorator;
type DecoratorName =
  | 'ApiAcceptedResponse'
  | 'ApiBearerAuth'
  | 'ApiExcludeEndpoint'
  | 'ApiOkResponse'
  | 'ApiOperation'
  | 'ApiTags';

/** What decorates which class or method, in the order of the decorators. */
const waiting: ((swagger: typeof Swagger) => void)[] = [];

/**
 * A decorator for the OpenAPI document, applied when the document is requested: a service that starts does not load Swagger,
 * a quarter of all its files.
 */
export const documented =
  (decoratorOf: (swagger: typeof Swagger) => ClassDecorator | MethodDecorator): AnyDecorator =>
  (target: object, ...method: unknown[]) => {
    waiting.push((swagger) => {
      const decorate = decoratorOf(swagger) as (target: object, ...method: unknown[]) => void;
      decorate(target, ...method);
    });
  };

/** Swagger, after all decorators of the loaded classes are applied. */
export async function loadSwagger(): Promise<typeof Swagger> {
  const swagger = await import('@nestjs/swagger');
  for (const decorate of waiting.splice(0)) decorate(swagger);
  return swagger;
}

/** The decorator of this name of `@nestjs/swagger`. */
const named =
  <Name extends DecoratorName>(name: Name) =>
  (...options: Parameters<(typeof Swagger)[Name]>): AnyDecorator =>
    documented((swagger) => {
      const decorator = swagger[name] as (...options: unknown[]) => ClassDecorator | MethodDecorator;
      return decorator(...options);
    });

export const ApiAcceptedResponse = named('ApiAcceptedResponse');
export const ApiBearerAuth = named('ApiBearerAuth');
export const ApiExcludeEndpoint = named('ApiExcludeEndpoint');
export const ApiOkResponse = named('ApiOkResponse');
export const ApiOperation = named('ApiOperation');
export const ApiTags = named('ApiTags');
