import {
  Controller,
  Get,
  Global,
  Inject,
  type MessageEvent,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnModuleDestroy,
  Req,
  RequestMethod,
  Res,
  Sse,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { CLOCK, type Clock } from '../config/runtime.js';
import { domainSettings, mlflowOptions, SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { type CurrentLights, LIGHTS } from '../state/current-lights.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { ExplanationController } from './explanation.controller.js';
import { LiveEvents } from './live-events.js';
import { lateAfterMs } from './load-explanations.js';
import { pageFiles } from './page-files.js';
import { PlatformView } from './platform-view.js';

@Controller('api/v1')
export class PlatformController {
  constructor(
    @Inject(PlatformView) private readonly view: PlatformView,
    @Inject(LiveEvents) private readonly live: LiveEvents,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('platform/current')
  async current(@Req() request: Request, @Res() response: Response): Promise<void> {
    const { etag, json, gzipped } = await this.view.current();
    response.set({
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-cache',
      ETag: etag,
      Vary: 'Accept-Encoding',
      'X-Content-Type-Options': 'nosniff',
    });
    const small = request.acceptsEncodings('gzip') === 'gzip';
    if (small) response.set('Content-Encoding', 'gzip');
    // Express answers 304 by itself where the asker knows this ETag.
    response.send(small ? gzipped : json);
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return this.live.stream(this.clock);
  }
}

@Global()
@Module({
  controllers: [PlatformController, ExplanationController],
  providers: [
    {
      provide: PlatformView,
      inject: [OBJECT_STORE, DUCK, SETTINGS, CLOCK],
      useFactory: (store: ObjectStore, duck: Duck, settings: Settings, clock: Clock) => {
        const domain = domainSettings(settings);
        const deltaPeriodMs = settings.DELTA_SCHEDULE_MINUTES * 60_000;
        const surroundings = {
          scope: domain,
          deltaPeriodMs,
          mlflowUi: (settings.MLFLOW_UI_URL ?? mlflowOptions(settings).uri).replace(/\/+$/, ''),
        };
        return new PlatformView(
          { store, duck, settings: domain, lateMs: lateAfterMs(deltaPeriodMs) },
          surroundings,
          clock,
        );
      },
    },
    {
      provide: LiveEvents,
      inject: [PlatformView],
      useFactory: (view: PlatformView) => new LiveEvents(view),
    },
    {
      provide: LIGHTS,
      inject: [PlatformView],
      useFactory: (view: PlatformView) => async (): Promise<CurrentLights> => (await view.current()).current,
    },
  ],
  exports: [LIGHTS],
})
export class DashboardModule implements NestModule, OnModuleDestroy {
  constructor(
    @Inject(PlatformView) view: PlatformView,
    @Inject(LiveEvents) private readonly live: LiveEvents,
    @Inject(ENGINE) engine: Engine,
  ) {
    const done = () => {
      view.invalidate();
      live.notify();
    };
    engine.events.on('progress', done);
    engine.events.on('finished', () => {
      done();
      // Whoever asks next should not wait for what is read now. A look that fails is made again when somebody asks.
      view.current().catch(() => undefined);
    });
  }

  configure(consumer: MiddlewareConsumer): void {
    // With a method: without one Express takes the matched path off the address.
    consumer.apply(pageFiles()).forRoutes({ path: '{*path}', method: RequestMethod.GET });
  }

  /** Before the server waits for its connections to end. */
  onModuleDestroy(): void {
    this.live.close();
  }
}
