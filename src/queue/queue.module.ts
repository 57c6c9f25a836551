import { BullModule } from '@nestjs/bullmq';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { QueueConnection } from './queue-connection.js';
import { QUEUES } from './queue-names.js';

export const QUEUE_CONNECTION = Symbol('QUEUE_CONNECTION');

/** Provides the BullMQ queues to every module. */
@Global()
@Module({})
export class QueueModule {
  static register(connection: QueueConnection): DynamicModule {
    return {
      module: QueueModule,
      imports: [
        BullModule.forRoot(connection.options),
        BullModule.registerQueue(...QUEUES.map((name) => ({ name }))),
      ],
      providers: [{ provide: QUEUE_CONNECTION, useValue: connection }],
      exports: [BullModule, QUEUE_CONNECTION],
    };
  }
}
