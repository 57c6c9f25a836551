import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { AccessGuardService } from './access-guard.service.js';
import { ProblemFilter } from './problem.filter.js';
import { InvalidRequest } from './problem.js';

/** The access guard, request validation and error format of everything that is served over HTTP. */
@Module({
  providers: [
    AccessGuardService,
    { provide: APP_FILTER, useClass: ProblemFilter },
    {
      provide: APP_PIPE,
      useFactory: () =>
        new StandardSchemaValidationPipe({ exceptionFactory: (issues) => new InvalidRequest(issues) }),
    },
  ],
})
export class AccessModule {}
