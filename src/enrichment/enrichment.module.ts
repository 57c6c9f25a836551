import { Module } from '@nestjs/common';
import { EnrichmentProcessor } from './enrichment.processor.js';

@Module({ providers: [EnrichmentProcessor] })
export class EnrichmentModule {}
