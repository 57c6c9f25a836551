import { BullModule } from '@nestjs/bullmq';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { QueueConnection } from './queue-connection.js';
import { QUEUES } from './queue-names.js';

/** The BullMQ queues, for every module. */
@Global()
@Module({})
export class QueueModule {
  static register(queue: QueueConnection): DynamicModule {
    return {
      module: QueueModule,
      imports: [
        BullModule.forRoot(queue.options),
        BullModule.registerQueue(...QUEUES.map((name) => ({ name }))),
      ],
      exports: [BullModule],
    };
  }
}
