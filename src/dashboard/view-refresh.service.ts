import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { reportError } from '../observability/report-error.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { LiveEvents } from './live-events.js';
import { PlatformView } from './platform-view.js';

/** Refreshes the platform view, and notifies open pages, when this process has finished work. */
@Injectable()
export class ViewRefreshService implements OnModuleDestroy {
  constructor(
    @Inject(PlatformView) view: PlatformView,
    @Inject(LiveEvents) private readonly live: LiveEvents,
    @Inject(ENGINE) engine: Engine,
  ) {
    const onChange = () => {
      view.invalidate();
      live.notify();
    };
    engine.events.on('progress', onChange);
    engine.events.on('finished', () => {
      onChange();
      // Fills the cache before the next request, which retries a failed refresh.
      view.current().catch((error) => reportError(error, { stage: 'page' }));
    });
  }

  /** Runs before the HTTP server waits for its connections to close. */
  onModuleDestroy(): void {
    this.live.close();
  }
}
