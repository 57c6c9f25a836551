import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { inSlices } from '../../config/event-loop.js';
import { daysOf, MS_PER_DAY, MS_PER_HOUR } from '../../domain/time.js';
import { sql } from '../../storage/duck.js';
import { metricsQuery } from '../contract/metrics.js';
import { seriesQuery } from '../contract/series.js';
import { jsonAnswer } from './answers.js';
import { cellHours, describeMetrics } from './describe-metrics.js';
import { describeSeries, seriesJsonSteps } from './describe-series.js';
import { loadMetrics, type MetricsRequest } from './load-metrics.js';
import { loadPoints, readColumns } from './load-points.js';
import { ReadOperation } from './operation.js';
import { daysSince, PublishedReader } from './published-reader.js';
import { requestSpan } from './request-span.js';
import { formatOf, tableAnswer } from './table-file.js';

@Controller()
export class MetricsController {
  constructor(@Inject(PublishedReader) private readonly reader: PublishedReader) {}

  @ReadOperation('/api/v1/metrics', 'The metrics of an application: newest value, limits, status over time')
  async metrics(
    @Query({ schema: metricsQuery }) query: z.output<typeof metricsQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { reader } = this;
    const { application, metric = '', days } = query;
    const { current } = await reader.platform();
    const to = Date.parse(current.to);
    const asked: MetricsRequest = {
      application,
      metric,
      span: { from: to - days * MS_PER_DAY, to },
      lightFrom: Date.parse(current.from),
      cellMs: cellHours(days * 24) * MS_PER_HOUR,
    };
    const lastRun = current.applications.find((each) => each.application === application)?.last_run;
    const read = daysOf({ from: Math.min(asked.span.from, asked.lightFrom), to });
    const objects = await reader.objects({
      enriched: { dataset: 'enriched_metrics', days: read, application },
      summaries: {
        dataset: 'application_summary',
        days: lastRun ? daysSince(lastRun.at, to) : read,
        application,
      },
      changes: { dataset: 'threshold_changes', days: daysOf(asked.span) },
    });
    await reader.respond(request, response, [asked, objects], async () => {
      const files = await reader.files(objects);
      const facts = await reader.session((session) => loadMetrics(session, files, asked));
      if (!facts) await reader.assertKnown(application, query.metric);
      return jsonAnswer(Buffer.from(JSON.stringify(describeMetrics(facts, asked, reader.mlflowUi))));
    });
  }

  @ReadOperation('/api/v1/series', 'A metric over time: points as columns, limits and their changes')
  async series(
    @Query({ schema: seriesQuery }) query: z.output<typeof seriesQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { reader } = this;
    const { application, metric, max_points: maxPoints } = query;
    const format = formatOf(request, query.format);
    const { current } = await reader.platform();
    const span = requestSpan(query, Date.parse(current.to));
    const days = daysOf(span);
    const objects = await reader.objects({
      enriched: { dataset: 'enriched_metrics', days, application },
      timeseries: { dataset: 'metric_timeseries', days, application },
      changes: { dataset: 'threshold_changes', days },
    });
    const asked = { application, metric, span, maxPoints };
    await reader.respond(request, response, [asked, format, objects], async () => {
      const files = await reader.files(objects);
      return reader.session(async (session) => {
        const head = await loadPoints(session, files, asked);
        if (!head) await reader.assertKnown(application, metric);
        if (format === 'json') {
          const series = describeSeries(head, await readColumns(session), asked);
          return jsonAnswer(await inSlices(seriesJsonSteps(series)));
        }
        return tableAnswer(session, format, `${application}-${metric}`, () =>
          session.run(sql(import.meta.url, './sql/export_series.sql'), { application, metric }),
        );
      });
    });
  }
}
