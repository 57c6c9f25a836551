import { Controller, Get, Inject, type MessageEvent, Req, Res, Sse } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { CLOCK, type Clock } from '../config/runtime.js';
import { LiveEvents } from './live-events.js';
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
    const compressed = request.acceptsEncodings('gzip') === 'gzip';
    if (compressed) response.set('Content-Encoding', 'gzip');
    // Express sends a 304 if the request has this ETag.
    response.send(compressed ? gzipped : json);
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return this.live.stream(this.clock);
  }
}
