import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { AccessGuardService } from './access-guard.service.js';
import { ProblemFilter } from './problem.filter.js';
import { InvalidRequest } from './problem.js';

/** The access guard, the validation of requests and the format of errors, for everything served over HTTP. */
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
