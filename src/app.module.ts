import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { AdminModule } from './admin/admin.module.js';
import { AggregationModule } from './aggregation/aggregation.module.js';
import { AlertsApiModule } from './alerts/alerts.controller.js';
import { DeliveryModule } from './alerts/delivery.module.js';
import { CLOCK, STOPPING } from './config/runtime.js';
import { SETTINGS } from './config/settings.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { CatalogModule } from './enrichment/catalog.module.js';
import { EnrichmentModule } from './enrichment/enrichment.module.js';
import { GateModule } from './gate/gate.module.js';
import { HealthModule } from './health/health.module.js';
import { AccessModule } from './http/access.module.js';
import { IngestionModule } from './ingestion/ingestion.module.js';
import { PipelineModule } from './pipeline/pipeline.module.js';
import { SchedulerService } from './pipeline/scheduler.service.js';
import { QualityModule } from './quality/quality.module.js';
import { QueueModule } from './queue/queue.module.js';
import type { Resources } from './resources.js';
import { DUCK } from './storage/duck.js';
import { OBJECT_STORE } from './storage/object-store.js';

@Global()
@Module({})
class ResourcesModule {}

@Module({})
export class AppModule {
  /** @param scheduled whether this process creates pipeline runs by schedule */
  static register(resources: Resources, scheduled: boolean): DynamicModule {
    const { settings, clock, store, duck, queue, stopping } = resources;
    const values = [
      { provide: SETTINGS, useValue: settings },
      { provide: CLOCK, useValue: clock },
      { provide: STOPPING, useValue: stopping.signal },
      { provide: OBJECT_STORE, useValue: store },
      { provide: DUCK, useValue: duck },
    ];
    const isWorker = settings.ROLES.includes('worker');
    const serves = settings.ROLES.includes('api');
    const writesTags = scheduled && settings.TAG_WRITEBACK === 'model-version';
    return {
      module: AppModule,
      imports: [
        { module: ResourcesModule, providers: values, exports: values.map(({ provide }) => provide) },
        AccessModule,
        QueueModule.register(queue),
        PipelineModule,
        ...(isWorker || scheduled ? [CatalogModule.register(scheduled)] : []),
        ...(isWorker ? [IngestionModule, EnrichmentModule, AggregationModule] : []),
        ...(isWorker || scheduled ? [DeliveryModule.register(isWorker, scheduled)] : []),
        ...(serves ? [AdminModule, DashboardModule, AlertsApiModule] : []),
        ...(serves || writesTags ? [GateModule.register(serves, writesTags)] : []),
        QualityModule.register(isWorker || scheduled, serves),
        HealthModule,
        ...(scheduled ? [ScheduleModule.forRoot()] : []),
      ],
      providers: scheduled ? [SchedulerService] : [],
    };
  }
}
