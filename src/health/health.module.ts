import { getQueueToken } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CLOCK, type Clock } from '../config/tokens.js';
import type { CurrentLights } from '../pipeline/lights.js';
import { QUEUES } from '../pipeline/stages.js';
import { LIGHTS } from '../pipeline/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { OBJECT_STORE } from '../storage/tokens.js';
import { HealthController } from './health.controller.js';
import { Sources } from './sources.js';

@Module({
  controllers: [HealthController],
  providers: [
    {
      provide: Sources,
      inject: [
        OBJECT_STORE,
        CLOCK,
        { token: LIGHTS, optional: true },
        ...QUEUES.map((name) => getQueueToken(name)),
      ],
      useFactory: (
        store: ObjectStore,
        clock: Clock,
        lights: (() => Promise<CurrentLights>) | undefined,
        ...queues: Queue[]
      ) => new Sources(store, queues, lights, clock),
    },
  ],
})
export class HealthModule {}
