import { Controller, Get, Header, Inject, Module } from '@nestjs/common';
import { domainSettings, type Settings } from '../config/settings.js';
import { CLOCK, type Clock, SETTINGS } from '../config/tokens.js';
import type { Duck } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { DUCK, OBJECT_STORE } from '../storage/tokens.js';
import { currentPlatform, type PlatformCurrent } from './platform.js';

@Controller('api/v1/platform')
export class PlatformController {
  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(DUCK) private readonly duck: Duck,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('current')
  @Header('Cache-Control', 'no-store')
  current(): Promise<PlatformCurrent> {
    const { store, duck, settings } = this;
    const deltaPeriodMs = settings.DELTA_SCHEDULE_MINUTES * 60_000;
    return currentPlatform({ store, duck, settings: domainSettings(settings), deltaPeriodMs }, this.clock());
  }
}

@Module({ controllers: [PlatformController] })
export class DashboardModule {}
