import { type DynamicModule, Module } from '@nestjs/common';
import { QualityController } from './quality.controller.js';
import { QualityService } from './quality.service.js';

/** The checks of data quality, and the quarantine. */
@Module({})
export class QualityModule {
  /** @param checks whether this process may complete pipeline runs @param serves whether it serves HTTP */
  static register(checks: boolean, serves: boolean): DynamicModule {
    return {
      module: QualityModule,
      controllers: serves ? [QualityController] : [],
      providers: checks ? [QualityService] : [],
    };
  }
}
