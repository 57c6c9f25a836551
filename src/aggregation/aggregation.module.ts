import { Module } from '@nestjs/common';
import { AggregationProcessor } from './aggregation.processor.js';
import { FitThreads } from './fit-threads.js';

@Module({ providers: [AggregationProcessor, { provide: FitThreads, useFactory: () => new FitThreads() }] })
export class AggregationModule {}
