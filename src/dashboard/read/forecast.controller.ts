import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { ATTENTION_SPAN_MS } from '../../domain/needs-attention.js';
import { daysOf } from '../../domain/time.js';
import { type Forecast, forecastQuery } from '../contract/forecast.js';
import { jsonAnswer } from './answers.js';
import { loadForecasts } from './load-forecasts.js';
import { ReadOperation } from './operation.js';
import { PublishedReader } from './published-reader.js';

@Controller()
export class ForecastController {
  constructor(@Inject(PublishedReader) private readonly reader: PublishedReader) {}

  @ReadOperation('/api/v1/forecast', 'How the metrics of an application are expected to go on')
  async forecast(
    @Query({ schema: forecastQuery }) { application, metric = '' }: z.output<typeof forecastQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { reader } = this;
    const to = Date.parse((await reader.platform()).current.to);
    const days = daysOf({ from: to - ATTENTION_SPAN_MS, to });
    const objects = await reader.objects({ forecasts: { dataset: 'metric_forecast', days, application } });
    const asked = { application, metric, to };
    await reader.respond(request, response, [asked, objects], async () => {
      const files = await reader.files(objects);
      const forecasts = await reader.session((session) => loadForecasts(session, files.forecasts, asked));
      if (forecasts.length === 0) await reader.assertKnown(application, metric || undefined);
      const found: Forecast = { application, forecasts };
      return jsonAnswer(Buffer.from(JSON.stringify(found)));
    });
  }
}
