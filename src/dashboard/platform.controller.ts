import { Controller, Get, Inject, Ip, type MessageEvent, Req, Res, Sse } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { CLOCK, type Clock } from '../config/runtime.js';
import { LiveEvents } from './live-events.js';
import { PlatformView } from './platform-view.js';
import { sendAnswer } from './read/answers.js';

@Controller('api/v1')
export class PlatformController {
  constructor(
    @Inject(PlatformView) private readonly view: PlatformView,
    @Inject(LiveEvents) private readonly live: LiveEvents,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('platform/current')
  async current(@Req() request: Request, @Res() response: Response): Promise<void> {
    await sendAnswer(request, response, (await this.view.current()).answer);
  }

  @Sse('events')
  events(@Ip() address: string): Observable<MessageEvent> {
    return this.live.stream(address, this.clock);
  }
}
