import { Module } from '@nestjs/common';
import { AggregationProcessor } from './aggregation.processor.js';

@Module({ providers: [AggregationProcessor] })
export class AggregationModule {}
