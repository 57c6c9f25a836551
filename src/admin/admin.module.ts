import { getQueueToken } from '@nestjs/bullmq';
import { Inject, type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { Queue } from 'bullmq';
import { queueBackendOf, SETTINGS, type Settings } from '../config/settings.js';
import { LoginCodes } from '../http/login-codes.js';
import { QUEUES } from '../queue/queue-names.js';
import { BackfillsController } from './backfills.controller.js';
import { LoginController } from './login.controller.js';
import { BOARD_PATH, queueBoard } from './queue-board.js';
import { RebuildsController } from './rebuilds.controller.js';

@Module({ controllers: [BackfillsController, LoginController, RebuildsController], providers: [LoginCodes] })
export class AdminModule implements NestModule {
  constructor(
    private readonly moduleRef: ModuleRef,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  configure(consumer: MiddlewareConsumer): void {
    const queues = QUEUES.map((name) =>
      this.moduleRef.get<string, Queue>(getQueueToken(name), { strict: false }),
    );
    const showWorkers = queueBackendOf(this.settings) === 'redis';
    consumer.apply(...queueBoard(queues, showWorkers)).forRoutes(BOARD_PATH);
  }
}
