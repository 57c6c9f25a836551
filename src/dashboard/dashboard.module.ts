import { Global, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CLOCK, type Clock } from '../config/runtime.js';
import { domainSettings, mlflowUiOf, SETTINGS, type Settings } from '../config/settings.js';
import { lateAfterMs } from '../domain/status-cause.js';
import { alertsVersion } from '../state/alerts/changes.js';
import { type CurrentLights, LIGHTS } from '../state/current-lights.js';
import { statusOptions } from '../state/service-status.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { ExplanationController } from './explanation.controller.js';
import { LiveEvents } from './live-events.js';
import { pageFiles } from './page-files.js';
import { PlatformController } from './platform.controller.js';
import { PlatformFactsReader } from './platform-facts.js';
import { PlatformView } from './platform-view.js';
import { ApplicationsController } from './read/applications.controller.js';
import { ForecastController } from './read/forecast.controller.js';
import { MetricsController } from './read/metrics.controller.js';
import { ModelVersionsController } from './read/model-versions.controller.js';
import { PublishedReader } from './read/published-reader.js';
import { RunsController } from './read/runs.controller.js';
import { ViewRefreshService } from './view-refresh.service.js';

/** Also for processes without the page. */
export const platformFactsReader = (
  store: ObjectStore,
  duck: Duck,
  settings: Settings,
): PlatformFactsReader =>
  new PlatformFactsReader({
    store,
    duck,
    settings: domainSettings(settings),
    lateMs: lateAfterMs(statusOptions(settings).deltaPeriodMs),
  });

@Global()
@Module({
  controllers: [
    PlatformController,
    ExplanationController,
    ApplicationsController,
    MetricsController,
    ModelVersionsController,
    ForecastController,
    RunsController,
  ],
  providers: [
    {
      provide: PlatformFactsReader,
      inject: [OBJECT_STORE, DUCK, SETTINGS],
      useFactory: platformFactsReader,
    },
    {
      provide: PlatformView,
      inject: [PlatformFactsReader, SETTINGS, CLOCK],
      useFactory: (facts: PlatformFactsReader, settings: Settings, clock: Clock) =>
        new PlatformView(
          facts,
          {
            ...statusOptions(settings),
            mlflowUi: mlflowUiOf(settings),
            lookbackDays: settings.LOOKBACK_DAYS_HISTORICAL,
          },
          clock,
        ),
    },
    {
      provide: PublishedReader,
      inject: [OBJECT_STORE, DUCK, PlatformView, SETTINGS],
      useFactory: (store: ObjectStore, duck: Duck, view: PlatformView, settings: Settings) =>
        new PublishedReader(store, duck, view, mlflowUiOf(settings)),
    },
    {
      provide: LiveEvents,
      inject: [PlatformView, OBJECT_STORE],
      useFactory: (view: PlatformView, store: ObjectStore) =>
        new LiveEvents(view, () => alertsVersion(store)),
    },
    {
      provide: LIGHTS,
      inject: [PlatformView],
      useFactory: (view: PlatformView) => async (): Promise<CurrentLights> => (await view.current()).current,
    },
    ViewRefreshService,
  ],
  exports: [LIGHTS, PlatformFactsReader],
})
export class DashboardModule implements NestModule {
  constructor(private readonly host: HttpAdapterHost) {}

  configure(): void {
    // Not by a wildcard: Express would decode the path and respond with 400 if a name in it is not encoded. The page says itself what is
    // wrong with its address. The adapter is null in commands without an HTTP server.
    this.host.httpAdapter?.use(pageFiles());
  }
}
