import { Module } from '@nestjs/common';
import { QualityService } from './quality.service.js';

/** The checks of data quality, in every process that may complete a pipeline run. */
@Module({ providers: [QualityService] })
export class QualityModule {}
