import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import type { Settings } from '../config/settings.js';
import { CLOCK, type Clock, SETTINGS } from '../config/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { OBJECT_STORE } from '../storage/tokens.js';
import { Engine } from './engine.js';
import type { QueueConnection } from './queue-connection.js';
import { QUEUES } from './stages.js';
import { ENGINE, WAIT_MS } from './tokens.js';

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
