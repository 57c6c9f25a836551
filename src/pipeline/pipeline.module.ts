import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import type { QueueConnection } from '../queue/queue-connection.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { ENGINE, Engine, WAIT_MS } from './engine.js';
import { QUEUES } from './stage-contracts.js';

/** The queues and the engine, for all features. */
@Global()
@Module({})
export class PipelineModule {
  static register(queue: QueueConnection): DynamicModule {
    return {
      module: PipelineModule,
      imports: [
        BullModule.forRoot(queue.options),
        BullModule.registerQueue(...QUEUES.map((name) => ({ name }))),
      ],
      providers: [
        { provide: WAIT_MS, useValue: 30_000 },
        {
          provide: ENGINE,
          inject: [OBJECT_STORE, SETTINGS, CLOCK, WAIT_MS, ...QUEUES.map((name) => getQueueToken(name))],
          useFactory: (
            store: ObjectStore,
            settings: Settings,
            clock: Clock,
            waitMs: number,
            ingestion: Queue,
            enrichment: Queue,
            aggregation: Queue,
          ) => {
            const queues = { ingestion, enrichment, aggregation };
            // BullMQ prints what nobody listens to. The connection tells when it is away; calls fail by themselves.
            for (const queue of Object.values(queues)) queue.on('error', () => undefined);
            return new Engine({
              store,
              queues,
              clock,
              stageTries: settings.STAGE_TRIES,
              waitMs,
              backfillConcurrency: settings.BACKFILL_CONCURRENCY,
              log: new Logger('Pipeline'),
            });
          },
        },
      ],
      exports: [ENGINE, BullModule],
    };
  }
}
