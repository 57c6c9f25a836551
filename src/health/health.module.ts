import { getQueueToken } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CLOCK, type Clock } from '../config/runtime.js';
import { QUEUE_CONNECTION } from '../queue/queue.module.js';
import type { QueueConnection } from '../queue/queue-connection.js';
import { QUEUES } from '../queue/queue-names.js';
import { type CurrentLights, LIGHTS } from '../state/current-lights.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { Dependencies } from './dependencies.js';
import { HealthController } from './health.controller.js';

@Module({
  controllers: [HealthController],
  providers: [
    {
      provide: Dependencies,
      inject: [
        OBJECT_STORE,
        CLOCK,
        QUEUE_CONNECTION,
        { token: LIGHTS, optional: true },
        ...QUEUES.map((name) => getQueueToken(name)),
      ],
      useFactory: (
        store: ObjectStore,
        clock: Clock,
        connection: QueueConnection,
        lights: (() => Promise<CurrentLights>) | undefined,
        ...queues: Queue[]
      ) => new Dependencies(store, queues, connection, lights, clock),
    },
  ],
})
export class HealthModule {}
